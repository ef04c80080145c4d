import type { DraftCall, DraftPort, DraftService } from "../document/draft";

/** The callee's ports that a call names, those that exist: its first where it names none. */
export function calledPorts(callee: DraftService, call: DraftCall): readonly DraftPort[] {
  const ports = callee.ports ?? [];
  if (call.ports === undefined) return ports.slice(0, 1);
  return call.ports.flatMap((name) => ports.filter((port) => name !== undefined && port.name === name).slice(0, 1));
}
