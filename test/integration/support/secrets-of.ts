/** Secrets in an exported state. */
import type { StateResource } from "./stacks/part-stacks";

/** What makes secrets, and what bears those that nothing of the state made (Consul's tokens). */
const BEARERS = /^(tls:index\/privateKey|random:|consul:|kubernetes:core\/v1:Secret)/;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/g;
/** Shorter texts, such as the name of an algorithm, are nobody's secret. */
const SHORTEST = 20;

/** Private keys, and every secret value that a resource made or bears, but for certificates: each as plain text. A state must be exported with its secrets shown. */
export function secretsOf(resources: readonly StateResource[]): ReadonlySet<string> {
  const secrets = new Set<string>();
  for (const text of resources.flatMap(textsIn)) for (const key of text.match(PRIVATE_KEY) ?? []) secrets.add(key);
  for (const { inputs, outputs } of resources.filter(({ type }) => BEARERS.test(type)))
    for (const text of plaintextsIn([inputs, outputs]))
      if (text.length >= SHORTEST && !/-----BEGIN CERTIFICATE/.test(text)) secrets.add(text);
  return secrets;
}

/** All texts of a state, one after the other. */
export function textOf(resources: readonly StateResource[]): string {
  return resources.flatMap(textsIn).join("\n");
}

/** A secret stands in an export as JSON, under `plaintext`. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  if ("plaintext" in value && typeof value.plaintext === "string") return textsIn(JSON.parse(value.plaintext));
  return Object.values(value).flatMap(textsIn);
}

function plaintextsIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  if ("plaintext" in value && typeof value.plaintext === "string") return textsIn(JSON.parse(value.plaintext));
  return Object.values(value).flatMap(plaintextsIn);
}
