/** What is worth knowing of the times along the calls, and wrong only if a request really takes that way. */
import { edgesFrom } from "../edges";
import type { Edge, Mesh } from "../model";
import { showDuration } from "./duration";

/**
 * Callers that give up before their callee does: the callee's own call, with its tries, may take longer than its caller waits, and what it then gets
 * nobody reads. One line for each such call, with the longest of the callee's; calls without a limit of time (streams) are not compared.
 */
export function trafficNotices(mesh: Mesh): string[] {
  return mesh.edges.filter(declared).flatMap((edge) => {
    const waits = longestMs(edge);
    if (waits === undefined) return [];
    const longest = edgesFrom(mesh, edge.to)
      .filter(declared)
      .map((own) => ({ own, takes: longestMs(own) ?? 0 }))
      .reduce<{ own: Edge; takes: number } | undefined>(
        (a, b) => (a !== undefined && a.takes >= b.takes ? a : b),
        undefined,
      );
    if (longest === undefined || longest.takes <= waits) return [];
    const { own, takes } = longest;
    return [
      `${edge.source}: '${edge.from}' waits ${showDuration(waits)} for '${edge.to}', whose own call of '${own.to}' (${own.source}) may take ` +
        `${showDuration(takes)} with its tries; lengthen the one timeout or shorten the other`,
    ];
  });
}

/** The longest that a call takes, all tries and pauses together; undefined where nothing bounds it. */
export function longestMs({ traffic }: Edge): number | undefined {
  if (traffic.timeoutMs > 0) return traffic.timeoutMs;
  const { attempts, perTryTimeoutMs, backoff } = traffic.retries;
  return perTryTimeoutMs > 0 ? (1 + attempts) * perTryTimeoutMs + attempts * backoff.maxMs : undefined;
}

function declared(edge: Edge): boolean {
  return edge.kind === "call";
}
