import type { Mutation } from "../mutation";

/** Why mutations that nobody finds open nothing, close nothing and weaken nothing. */
export interface Argument {
  /** Matches the kind of each such mutation: `<operator> <how>: <kind of object> <name> <path>`. */
  readonly survives: RegExp;
  /** Of these, the ones that it is about; all where it is left out. */
  readonly where?: (mutation: Mutation) => boolean;
  /** It is about some of a kind of which others are found: only who tries them all meets one. */
  readonly isRare?: true;
  /** Goes on from "a change that". */
  readonly why: string;
}
