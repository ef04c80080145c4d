import { createHash } from "node:crypto";
import { declaredKey } from "./names";

/** Plain data. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What was declared of an object. */
export interface DeclaredObject {
  readonly kind: string;
  /** None of what no namespace holds. */
  readonly namespace?: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The fields that are compared. A value in them may be one of {@link STANDING_FOR}. */
  readonly fields: { readonly [field: string]: Json };
}

/** Maps of one entry that stand in a declaration for a value that doesn't stand there itself. */
export const STANDING_FOR = {
  /** Some value, which is known only when the object is made. */
  any: "$any",
  /** A text of this digest. */
  digest: "$digest",
  /** The file by which sidecars trust the zone of this name; its digest stands in an annotation of the declaration. */
  trust: "$trust",
} as const;

/** Digest by which a text stands in a declaration. */
export function textDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** An object as it is written down. The order of keys is one. */
export function writtenDown(object: DeclaredObject): string {
  return JSON.stringify(inOrder(object as unknown as Json));
}

/** Entries of a declaration, cut into parts that a ConfigMap holds each, in an order that stays. */
export function declarationParts(
  objects: readonly DeclaredObject[],
  limit = PART_CHARACTERS,
): readonly Readonly<Record<string, string>>[] {
  const parts: Record<string, string>[] = [{}];
  let characters = 0;
  const entries = objects.map((object) => [declaredKey(object), writtenDown(object)] as const);
  for (const [key, text] of entries.sort(([one], [other]) => (one < other ? -1 : 1))) {
    const length = key.length + Buffer.byteLength(text);
    if (characters > 0 && characters + length > limit) {
      parts.push({});
      characters = 0;
    }
    (parts.at(-1) as Record<string, string>)[key] = text;
    characters += length;
  }
  return parts;
}

/** A ConfigMap holds 1 MiB; what Kubernetes writes beside the data needs some of it. */
const PART_CHARACTERS = 700_000;

function inOrder(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as { readonly [key: string]: Json });
  return Object.fromEntries(
    entries.sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, field]) => [key, inOrder(field)]),
  );
}
