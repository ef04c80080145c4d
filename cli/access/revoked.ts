/** Why a call that is declared is closed. */
import { findService, type Edge, type Mesh } from "../../mesh";

/** A service that was revoked, and why. */
export interface RevokedEnd {
  readonly name: string;
  readonly reason: string;
}

/** The ends of a call that are revoked, the caller first. */
export function revokedEnds(mesh: Mesh, { from, to }: Pick<Edge, "from" | "to">): readonly RevokedEnd[] {
  return [from, to].flatMap((name) => {
    const reason = findService(mesh, name)?.revoked;
    return reason === undefined ? [] : [{ name, reason }];
  });
}

/** `payout-router is revoked: its key was lost`. */
export function revokedText({ name, reason }: RevokedEnd): string {
  return `${name} is revoked: ${reason}`;
}
