/** What a gateway passes on, in words: equal exactly for what leads to the same. */
import type { Callee } from "./model";

/** `as it is to ledger.service.south.discovery.lucid.internal:15001 (by 10.96.64.53:53)`. */
export function arrivalText({
  lookedUp,
  dialled,
  resolver,
}: Pick<Callee, "lookedUp" | "dialled" | "resolver">): string {
  return `as it is to ${lookedUp.map((name) => `${name}:${String(dialled)}`).join(", ")} (by ${resolver ?? "nobody"})`;
}

/** What becomes of a CONNECT that names who it is for: `http.ledger.south.ops.north:15001 as it is to …; …`. */
export function linkText(ways: readonly { readonly authority: string; readonly target: string }[]): string {
  return [...new Set(ways.map(({ authority, target }) => `${authority} ${target}`))].sort().join("; ");
}

/** How a gateway names in a CONNECT whom a call is for. */
export function authorityOf(serverName: string): string {
  return `${serverName}:15001`;
}
