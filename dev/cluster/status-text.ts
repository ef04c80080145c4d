import type { ClusterStatus } from "./status";

/** A status for people to read. */
export function statusText(status: ClusterStatus): string {
  if (status.state === "absent") {
    return "cluster: not up; start it by 'npm run cluster -- up'";
  }
  const lines = [
    `cluster: ${status.state}, ${megabytes(status.memory)}, API server on 127.0.0.1:${String(status.apiPort ?? "?")}`,
    "",
    ...table([
      ["NODE", "READY", "PODS' MEMORY"],
      ...status.nodes.map(({ name, ready, podMemory }) => [name, ready ? "yes" : "NO", megabytes(podMemory)]),
    ]),
    "",
    ...table([
      ["MACHINE", "COMPONENT", "PID", "MEMORY", "LOG"],
      ...status.components.map(({ machine, name, pid, memory, log }) => [
        machine,
        name,
        pid === undefined ? "NOT RUNNING" : String(pid),
        megabytes(memory),
        log,
      ]),
    ]),
    "",
  ];
  for (const { namespace, name, phase } of status.podsNotReady) {
    lines.push(`pod not ready: ${namespace}/${name} (${phase})`);
  }
  for (const problem of status.problems) {
    lines.push(`problem: ${problem}`);
  }
  return lines.join("\n").trimEnd();
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "?" : `${String(Math.round(bytes / 1e6))} MB`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
