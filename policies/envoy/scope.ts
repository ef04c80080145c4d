import type { Ceiling, EdgeLeave } from "../ceiling";
import type { Findings } from "../judgement/finding";

/** What of the ceiling says who may reach whom, and who may validate callers. */
export type EdgeCeiling = EdgeLeave & Pick<Ceiling, "authenticators">;

/** Whose configuration is judged, by what ceiling, and where findings go. */
export interface Scope {
  readonly zone: string;
  readonly service: string;
  readonly ceiling: EdgeCeiling;
  readonly findings: Findings;
}

/**
 * A party's SPIFFE identity.
 *
 * @param zone of another datacenter as `<zone>.<datacenter>`
 * @param datacenter the own one, where there are several
 */
export function identityOf(zone: string, service: string, datacenter?: string): string {
  return `spiffe://${trustDomainOf(zone, datacenter)}/ns/lucid-${planeOf(zone)}/sa/${service}`;
}

/** A zone's trust domain. */
export function trustDomainOf(zone: string, datacenter?: string): string {
  return `${isElsewhere(zone) || datacenter === undefined ? zone : `${zone}.${datacenter}`}.lucid.internal`;
}

const IDENTITY =
  /^spiffe:\/\/([a-z0-9-]+)(?:\.([a-z0-9-]+))?\.lucid\.internal\/ns\/lucid-([a-z0-9-]+)\/sa\/([a-z0-9-]+)$/;

/** The party of an identity, as `<zone>/<service>`, of another datacenter `<zone>.<datacenter>/<service>`; undefined for one that no zone's CA may issue. */
export function partyOfIdentity(identity: string, datacenter?: string): string | undefined {
  const [, zone, own, namespace, service] = IDENTITY.exec(identity) ?? [];
  if (zone === undefined || zone !== namespace || service === undefined) return undefined;
  if (own === datacenter) return `${zone}/${service}`;
  // Where one datacenter bears a name, all do.
  return own === undefined || datacenter === undefined ? undefined : `${zone}.${own}/${service}`;
}

/** Whether a zone, or a party, is one of another datacenter: its zone is named with it. */
export function isElsewhere(zone: string): boolean {
  return datacenterOf(zone) !== undefined;
}

/** The datacenter of a zone, or a party, of another one; undefined for one's own. */
export function datacenterOf(zone: string): string | undefined {
  return zone.split("/")[0]?.split(".")[1];
}

/** A party, or a zone, as the document has it, wherever it is: `ops/ledger` of `ops.south/ledger`. */
export function anywhere(party: string): string {
  return party.replace(/^([^/.]*)\.[^/]*/, "$1");
}

/** The zone, whatever its datacenter. */
export function planeOf(zone: string): string {
  return zone.split(".")[0] ?? "";
}
