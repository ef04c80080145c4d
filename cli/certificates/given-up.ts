import type { ZoneGenerations } from "../../components/identity/generations";
import { ZONES, trustDomainOf, type ZoneName } from "../../mesh";
import type { GivenUp } from "../../proof/timeline";

/** Authorities that a stack's configuration calls compromised: they are given up at once, and the calls that this cuts off are meant to be. */
export function givenUpBy(stack: {
  readonly rootGenerations?: ZoneGenerations;
  readonly issuingGenerations?: ZoneGenerations;
  readonly datacenter?: string | undefined;
}): GivenUp {
  const domainOf = (zone: ZoneName) => trustDomainOf(zone, stack.datacenter).replaceAll(".", "\\.");
  const patterns = ZONES.flatMap((zone) => [
    ...(stack.rootGenerations?.[zone]?.compromised ?? []).map(
      // A root takes along what stands under it.
      (root) => new RegExp(`^${domainOf(zone)} root${numbered(root)}( issuing( \\d+)?)?$`),
    ),
    ...(stack.rootGenerations?.[zone]?.compromised.includes(1) === true
      ? [new RegExp(`^${domainOf(zone)} issuing( \\d+)?$`)]
      : []),
    ...(stack.issuingGenerations?.[zone]?.compromised ?? []).map(
      (issuer) => new RegExp(`^${domainOf(zone)} (root \\d+ )?issuing${numbered(issuer)}$`),
    ),
  ]);
  return (subject) => patterns.some((pattern) => pattern.test(subject));
}

/** The first generation of an authority bears no number. */
function numbered(generation: number): string {
  return generation === 1 ? "" : ` ${String(generation)}`;
}
