import { createHash } from "node:crypto";
import type { Plain } from "../judgement/plain";
import { DATA } from "./data";

/** A name that stands for a variable's parts as well: `services` for `services0`, `services1`. */
export function baseOf(variable: string): string {
  return variable.replace(/\d+$/, "");
}

/**
 * Digest of a policy's text, in whatever order its keys come, without the variables that hold the mesh's own data.
 *
 * @param spec known throughout
 */
export function digestOf(spec: Plain): string {
  return createHash("sha256")
    .update(canonical(withoutData(spec)))
    .digest("hex")
    .slice(0, 32);
}

function withoutData(spec: Plain): Plain {
  if (!isMap(spec) || !Array.isArray(spec.variables)) return spec;
  const variables = (spec.variables as readonly Plain[]).filter(
    (variable) => !(isMap(variable) && typeof variable.name === "string" && Object.hasOwn(DATA, baseOf(variable.name))),
  );
  return { ...spec, variables };
}

function canonical(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map((item: Plain) => canonical(item)).join(",")}]`;
  if (!isMap(value)) return typeof value === "symbol" ? "unknown" : JSON.stringify(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${entries.join(",")}}`;
}

function isMap(value: Plain): value is { readonly [key: string]: Plain } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
