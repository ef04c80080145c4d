import type { AclKind } from "../../../../mesh/declarations/index.js";

/** One object that says who may do what at a discovery backend. */
export interface AccessObject {
  readonly kind: AclKind;
  readonly name: string;
  /** Another one with each change of it. */
  readonly version: string;
  /** What is compared: the fields of its kind. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What somebody can do by it, for people. */
  readonly gives: string;
}

/** Who may do what at a discovery backend, as it stands there. */
export interface AccessControl {
  /**
   * All of it, but what the backend makes by itself and is as it makes it.
   *
   * @throws where any part could not be read: half of it is never returned
   */
  read(): Promise<readonly AccessObject[]>;
}
