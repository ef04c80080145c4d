import type { Credential, Item, Right } from "../model";

/** Most items that one message names. */
const NAMED = 6;

/** `register Wallet/payout-router and every other service`. */
export function actText(right: Right, items: readonly Item[], services: ReadonlyMap<string, string>): string {
  const isName = items.every((item) => item.isName);
  const verb = !isName ? right : right === "write" ? "register" : "look up";
  const texts = items.map(({ service, text }) => (service === undefined ? text : (services.get(service) ?? text)));
  const rest = texts.length - NAMED;
  return `${verb} ${listed(rest > 0 ? [...texts.slice(0, NAMED), `${String(rest)} more`] : texts)}`;
}

/** Who acts by a credential. */
export function whoText({ holders }: Credential): string {
  const parties = [...new Set(holders?.map(({ party }) => party))];
  return parties.length === 0 ? "whoever has it" : listed(parties);
}

/** `one, another and a third`. */
export function listed(texts: readonly string[]): string {
  const last = texts.at(-1) ?? "nobody";
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(", ")} and ${last}`;
}
