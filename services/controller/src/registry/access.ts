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
  /** Name of the `AclToken` by which it is read. */
  readonly reader: string;
  /** When the backend last served anybody else who shows a token; milliseconds since 1970. */
  readonly othersServed: number | undefined;
  /**
   * All of it, but what the backend makes by itself and is as it makes it.
   *
   * @throws AccessRefused where it is not shown, Error where there is no answer: half of it is never returned
   */
  read(): Promise<readonly AccessObject[]>;
}

/** Who may do what is not shown to who compares it. That there is no answer is no refusal. */
export class AccessRefused extends Error {
  override readonly name = "AccessRefused";

  constructor(
    /** For people; the same for as long as it is refused for the same reason. */
    readonly why: string,
    /** Whether the backend knows the token. It doesn't where it lost its state, or where a token that was exchanged has not come here yet. */
    readonly isKnown: boolean,
    options?: ErrorOptions,
  ) {
    super(`who may do what at the discovery backend is not shown: ${why}`, options);
  }
}
