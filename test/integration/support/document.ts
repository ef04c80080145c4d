/** The mesh under test, read from the document that was deployed. */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { checkoutDir } from "../../../dev/paths";
import { edgesFrom, loadMesh } from "../../../mesh";
import type { Edge, Service, ServicePort } from "../../../mesh";

export const mesh = loadMesh(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8"), "mesh.yaml", { tracing: true });

/** A possible call: one service, one port of another. */
export interface Call {
  readonly from: Service;
  readonly to: Service;
  readonly port: ServicePort;
}

export function service(name: string): Service {
  const found = mesh.services.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`the document has no service ${name}`);
  return found;
}

export function describeCall({ from, to, port }: Call): string {
  return `${from.name} -> ${to.name}:${port.name}`;
}

/** Every ordered pair of different services, by the callee's port. */
const everyCall: readonly Call[] = mesh.services.flatMap((from) =>
  mesh.services.filter((to) => to !== from).flatMap((to) => to.ports.map((port) => ({ from, to, port }))),
);

function edgeOf({ from, to, port }: Call): Edge | undefined {
  return edgesFrom(mesh, from).find((edge) => edge.to === to.name && edge.port === port.name);
}

/** Calls that the document declares (those that it computes, telemetry, are not among them). */
export const declaredCalls = everyCall.filter((call) => edgeOf(call)?.kind === "call");
/** Calls with no edge of any kind. */
export const undeclaredCalls = everyCall.filter((call) => edgeOf(call) === undefined);

/** Services that run fortio, and so can be told to call. */
export const applications = mesh.services.filter(({ workload }) => workload.kind === "application");
