import * as pulumi from "@pulumi/pulumi";
import type { Withdrawal } from "../../envoy";
import { ZONES, peerZone, trustedZones, type Mesh } from "../../mesh";
import { trustInNobody } from "../identity/nobody";
import { documentDigest } from "../parts/shared-settings";
import type { Declaration } from "../stack/declaration";
import { outputsOf, toldBy, type AskOutputs } from "../stack/told";
import { parseDatacenterData, toldTrust, type DatacenterData } from "./datacenter-data";
import type { TrustElsewhere } from "./trust-elsewhere";

/** The output in which a stack tells the others of its datacenter. */
export const OUTPUT = "datacenter";

/** What the stacks of the other datacenters told, by the datacenter's name. */
export interface ToldDatacenters {
  readonly told: ReadonlyMap<string, DatacenterData>;
  /** Those of which the stack says that they aren't there: nobody of theirs is believed, not even on what is open. */
  readonly gone: readonly string[];
  /** Digest of the document that this stack deploys. */
  readonly document: string;
}

/**
 * Reads what the stacks of the other datacenters told, each from its last outputs or a file. Of one that isn't deployed yet nobody is believed, and calls from and to it are
 * refused: that is said, and ends nothing.
 *
 * @returns undefined where the mesh is in one datacenter
 * @throws RunError where a peer's stack isn't named or can't be read, where what it tells can't be used, or where one from which this stack had roots tells nothing any more
 */
export async function readDatacenters(
  { mesh, settings, text }: Declaration,
  ask: AskOutputs = outputsOf,
  own = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`,
): Promise<ToldDatacenters | undefined> {
  if (mesh.datacenters === undefined) return undefined;
  const { datacenterStacks = {} } = settings;
  const document = documentDigest(text);
  const told = new Map<string, DatacenterData>();
  const awaited: string[] = [];
  const gone: string[] = [];
  const problems: string[] = [];
  for (const { name } of mesh.datacenters.peers) {
    const stack = Object.hasOwn(datacenterStacks, name) ? datacenterStacks[name] : undefined;
    if (stack === undefined) problems.push(`nothing says where the stack of datacenter ${name} is`);
    if (stack === null) gone.push(name);
    if (stack === undefined || stack === null) continue;
    const [place, data] = await toldBy(
      stack,
      {
        output: OUTPUT,
        whom: `datacenter ${name}`,
        setting: `lucid-mesh:datacenter to ${name}`,
        key: "lucid-mesh:datacenterStacks",
        parse: (value, where) => parseDatacenterData(value, name, where),
      },
      ask,
    );
    awaited.push(name);
    if (data !== undefined) told.set(name, data);
    else
      void pulumi.log.warn(
        `datacenter ${name} is not deployed (${place}): calls from and to it are refused until then`,
      );
    if (data !== undefined && data.document !== document)
      void pulumi.log.warn(
        `${place} was deployed from another document: what the two let be may differ until both are of one`,
      );
  }
  if (problems.length > 0)
    throw new pulumi.RunError(
      `${problems.join("; ")}; name each by lucid-mesh:datacenterStacks, as '{"south": "acme/lucid-mesh/south"}', or null where it isn't there`,
    );
  refuseLost((await ask(own).catch(() => undefined))?.[OUTPUT], told, awaited);
  return { told, gone, document };
}

/** By what zones of other datacenters are believed: what these told, and nobody where they told nothing. */
export function trustElsewhere(mesh: Mesh, told: ToldDatacenters | undefined): TrustElsewhere {
  const zones = mesh.services.flatMap((service) => trustedZones(mesh, service)).filter((zone) => zone.includes("."));
  return Object.fromEntries(
    [...new Set(zones)].map((zone) => [zone, toldTrust(told?.told ?? new Map(), zone) ?? trustInNobody(zone)]),
  );
}

/** On account of what the others told, and of which of them are gone, their services have to prove themselves anew here. */
export function withdrawnElsewhere({ told, gone }: Pick<ToldDatacenters, "told" | "gone">): Withdrawal[] {
  const theirs = [...told].flatMap(([datacenter, { withdrawn }]) =>
    withdrawn.map((each): Withdrawal => ({ ...each, zone: peerZone(each.zone, datacenter) })),
  );
  const all = gone.flatMap((datacenter) =>
    ZONES.map((zone): Withdrawal => ({ zone: peerZone(zone, datacenter), what: "datacenter" })),
  );
  return [...theirs, ...all];
}

/** A stack that was renamed, or a name that is mistyped, would close calls that are open. @throws RunError */
function refuseLost(before: unknown, told: ReadonlyMap<string, DatacenterData>, awaited: readonly string[]): void {
  if (typeof before !== "object" || before === null || pulumi.isUnknown(before) || !("believes" in before)) return;
  const believed = Array.isArray(before.believes) ? (before.believes as unknown[]) : [];
  const lost = awaited.filter((name) => believed.includes(name) && !told.has(name));
  if (lost.length === 0) return;
  const gone = JSON.stringify(Object.fromEntries(lost.map((name) => [name, null])));
  throw new pulumi.RunError(
    `this stack has the roots of datacenter ${lost.join(", ")}, whose stack tells nothing any more, so that its calls would be closed; name it by lucid-mesh:datacenterStacks, or, where it is gone for good, say lucid-mesh:datacenterStacks: '${gone}'`,
  );
}
