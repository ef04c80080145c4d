import { Unjudgeable } from "../../../judgement/field";
import type { Field } from "../../../judgement/field";
import type { ObjectFinding } from "../../network/model";
import { requiredText } from "../../network/reading/fields";
import type { Roots, Sidecar } from "../model";
import { arrivalsOf, calleesOf, orderOf, targetsOf, waysOutside } from "./clusters";
import { dialOf, namesOf } from "./dials";
import { entriesOf, openRoutesOf } from "./entries";
import type { SidecarFiles } from "./every-edge";
import { formFindings } from "./form";
import { must, socketOf } from "./messages";
import type { Owner } from "./owner";
import { passagesOf } from "./passages";
import { tokensOf } from "./tokens";

export interface SidecarReading {
  /** Undefined where something can't be judged. */
  readonly sidecar: Sidecar | undefined;
  readonly findings: readonly ObjectFinding[];
}

/** Reads what a sidecar does from its files. */
export function readSidecar(files: SidecarFiles, roots: ReadonlyMap<string, Roots>, owner: Owner): SidecarReading {
  try {
    const form = formFindings(files, owner);
    if (form.length > 0) return { sidecar: undefined, findings: form.map((one) => ({ object: owner.title, ...one })) };
    return { sidecar: read(files, roots, owner), findings: [] };
  } catch (error) {
    if (!(error instanceof Unjudgeable)) throw error;
    const { path, problem, mend } = error;
    return { sidecar: undefined, findings: [{ object: owner.title, path, problem, mend }] };
  }
}

function read(files: SidecarFiles, roots: ReadonlyMap<string, Roots>, owner: Owner): Sidecar {
  const { zone, service, title } = owner;
  const listeners = resourcesOf(files["listeners.yaml"]);
  const clusters = resourcesOf(files["clusters.yaml"]);
  checkTwice(clusters, (cluster) => requiredText(cluster.at("name")), "two clusters of a name are both refused");
  checkTwice(listeners, addressText, "two listeners of an address are both refused");
  const outside = waysOutside(clusters, title);
  const targets = targetsOf(clusters, outside);
  const kind = (field: Field) => (field.at("name").text() ?? "").split("|")[0] ?? "";
  const of = (...kinds: readonly string[]) => listeners.filter((listener) => kinds.includes(kind(listener)));
  // The application's own view of its sidecar; nobody else has it.
  for (const listener of of("admin")) openRoutesOf(listener, targets, title);
  const entries = of("inbound", "inspection").flatMap((listener) => entriesOf(listener, targets, owner));
  const dials = of("outbound", "scrape").map((listener) => dialOf(listener, orderOf(clusters), title));
  const callees = calleesOf(clusters, askedOf(of("inbound")), owner);
  for (const { listens, serverName, place } of entries) {
    const same = entries.filter((other) => other.listens === listens && other.serverName === serverName);
    if (same.length > 1)
      throw new Unjudgeable(place.path, "two filter chains match the same, which Envoy refuses", "keep one");
  }
  return {
    party: `${zone}/${service}`,
    zone,
    entries,
    open: of("health").flatMap((listener) => openRoutesOf(listener, targets, title)),
    callees,
    outside,
    passages: of("departure").flatMap((listener) => passagesOf(listener, callees, title)),
    arrivals: arrivalsOf(clusters, title),
    dials,
    names: of("dns").flatMap((listener) => namesOf(listener, title)),
    roots,
    tokens: tokensOf(files, title),
  };
}

function resourcesOf(file: Field | undefined): readonly Field[] {
  return file?.at("resources").items() ?? [];
}

function addressText(listener: Field): string {
  const { address, port } = socketOf(listener.at("address"));
  return `${address} ${port} ${listener.at("address", "socket_address", "protocol").text() ?? "TCP"}`;
}

function checkTwice(fields: readonly Field[], keyOf: (field: Field) => string, problem: string): void {
  const seen = new Set<string>();
  for (const field of fields) {
    const key = keyOf(field);
    must(!seen.has(key), field, problem, "keep one");
    seen.add(key);
  }
}

/** Clusters that filters of the sidecar ask about callers. */
function askedOf(listeners: readonly Field[]): ReadonlySet<string> {
  const leaves = listeners.flatMap((listener) => listener.leaves());
  return new Set(
    leaves.filter(({ path }) => path.endsWith(".envoy_grpc.cluster_name")).map((leaf) => leaf.text() ?? ""),
  );
}
