import type { ZoneGenerations } from "../../components/identity/generations";
import { ZONES } from "../../mesh";
import type { GivenUp } from "../../proof/timeline";

/** Authorities that a stack's configuration calls compromised: they are given up at once, and the calls that this cuts off are meant to be. */
export function givenUpBy(stack: {
  readonly rootGenerations?: ZoneGenerations;
  readonly issuingGenerations?: ZoneGenerations;
}): GivenUp {
  const patterns = ZONES.flatMap((zone) => [
    ...(stack.rootGenerations?.[zone]?.compromised ?? []).map(
      // A root takes along what stands under it.
      (root) => new RegExp(`^${zone}\\.lucid\\.internal root${numbered(root)}( issuing( \\d+)?)?$`),
    ),
    ...(stack.rootGenerations?.[zone]?.compromised.includes(1) === true
      ? [new RegExp(`^${zone}\\.lucid\\.internal issuing( \\d+)?$`)]
      : []),
    ...(stack.issuingGenerations?.[zone]?.compromised ?? []).map(
      (issuer) => new RegExp(`^${zone}\\.lucid\\.internal (root \\d+ )?issuing${numbered(issuer)}$`),
    ),
  ]);
  return (subject) => patterns.some((pattern) => pattern.test(subject));
}

/** The first generation of an authority bears no number. */
function numbered(generation: number): string {
  return generation === 1 ? "" : ` ${String(generation)}`;
}
