import { ADMISSION } from "./admission";
import { ANY_OBJECT } from "./any-object";
import { APPLICATIONS } from "./applications";
import type { Mutation } from "../mutation";
import type { Argument } from "./argument";
import { AVAILABILITY } from "./availability";
import { CERTIFICATES } from "./certificates";
import { CONSUL } from "./consul";
import { DECLARATIONS } from "./declarations";
import { NETWORK } from "./network";
import { OBJECTS } from "./objects";
import { PODS } from "./pods";
import { RIGHTS } from "./rights";
import { SIDECARS } from "./sidecars";

export type { Argument } from "./argument";

/** Every argument; the first that matches counts. */
export const ARGUMENTS: readonly Argument[] = [
  ...ANY_OBJECT,
  ...OBJECTS,
  ...NETWORK,
  ...SIDECARS,
  ...CONSUL,
  ...CERTIFICATES,
  ...RIGHTS,
  ...DECLARATIONS,
  ...ADMISSION,
  ...APPLICATIONS,
  ...AVAILABILITY,
  ...PODS,
];

/**
 * The argument for a mutation that nobody finds; undefined where there is none. A key by another name is the key gone, and one more that the API doesn't have.
 */
export function argumentFor(mutation: Mutation): Argument | undefined {
  const { kind } = mutation;
  const asDrop = kind.replace(/^rename of/, "drop of");
  return ARGUMENTS.find(
    ({ survives, where = () => true }) => (survives.test(kind) || survives.test(asDrop)) && where(mutation),
  );
}
