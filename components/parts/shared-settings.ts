/** What the stacks of all parts have to say alike: each proves the whole mesh by it. */
import { createHash } from "node:crypto";
import type { Settings } from "../stack/settings";

/** What each stack says for itself: where it runs, and what it is. */
const OWN = ["part", "partStacks", "document", "kubeconfig", "context", "dockerHost", "consulForwardPort"] as const;

/** Settings by key, as JSON has them. None is a secret. */
export type SharedSettings = Readonly<Record<string, Json>>;

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The settings that every part's stack must have alike, defaults included. */
export function sharedSettings(settings: Settings): SharedSettings {
  const own: ReadonlySet<string> = new Set(OWN);
  return JSON.parse(
    JSON.stringify(Object.fromEntries(Object.entries(settings).filter(([key]) => !own.has(key)))),
  ) as SharedSettings;
}

/** Digest of a document, by which parts see that they are deployed from one. */
export function documentDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Keys in which two stacks differ. */
export function differingKeys(one: SharedSettings, other: SharedSettings): readonly string[] {
  const text = (settings: SharedSettings, key: string) => JSON.stringify(sorted(settings[key]));
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((key) => text(one, key) !== text(other, key))
    .sort();
}

/** The order of an object's keys says nothing, and a stack's outputs don't keep it. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, field]) => [key, sorted(field)]),
  );
}
