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

/** A party's SPIFFE identity. */
export function identityOf(zone: string, service: string): string {
  return `spiffe://${zone}.lucid.internal/ns/lucid-${zone}/sa/${service}`;
}

/** The party of an identity, as `<zone>/<service>`; undefined for one that no zone's CA may issue. */
export function partyOfIdentity(identity: string): string | undefined {
  const match = /^spiffe:\/\/([a-z0-9-]+)\.lucid\.internal\/ns\/lucid-([a-z0-9-]+)\/sa\/([a-z0-9-]+)$/.exec(identity);
  const [, trustDomain, namespace, service] = match ?? [];
  return trustDomain !== undefined && trustDomain === namespace && service !== undefined
    ? `${trustDomain}/${service}`
    : undefined;
}
