import type { CliError } from "../exit-status";
import type { Cluster } from "./cluster/cluster";
import type { Live } from "./cluster/live";
import type { Reach } from "./cluster/reach";
import type { Declared } from "./plan/declared";

/** What checks ask. Everything in it only reads. */
export interface CheckContext {
  /** The stack's name. */
  readonly stack: string;
  /** What the stack declares, or why that can't be read. */
  readonly declaration: Declared | CliError;
  readonly reach: Reach;
  readonly cluster: Cluster;
  /** The cluster's objects, each list read once. */
  readonly live: Live;
  /** This machine's clock. */
  readonly now: () => Date;
}

/** What the stack declares. For checks that need `document`. @throws what is wrong with it */
export function declaredIn({ declaration }: Pick<CheckContext, "declaration">): Declared {
  if (declaration instanceof Error) throw declaration;
  return declaration;
}
