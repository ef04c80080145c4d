/** Where a live object is otherwise than the plan. */
import { UNKNOWN } from "../../../policies/judgement/plain";
import type { Plain } from "../../../policies/judgement/plain";
import { titleOf } from "../cluster/objects";
import type { KubeObject } from "../cluster/objects";
import type { PlannedObject } from "./declared";

/** Filled in or kept by others: not the plan's to say. */
const NOT_COMPARED: ReadonlySet<string> = new Set(["status", "stringData", "metadata.annotations"]);

/**
 * What of a plan does not stand in the live object, one line each. What the object has besides is not told: the API server fills in defaults.
 *
 * @param planned unknown parts are taken to be right
 */
function missingFrom(planned: PlannedObject, live: object): readonly string[] {
  return Object.entries(planned).flatMap(([key, value]) =>
    NOT_COMPARED.has(key) ? [] : differences(value, (live as Record<string, unknown>)[key], key),
  );
}

/** What a live object has that its plan doesn't, where it means something: lists and maps that are not empty, values that aren't a default. */
function addedTo(planned: Plain, live: unknown, path: string): readonly string[] {
  if (planned === UNKNOWN) return [];
  if (Array.isArray(live)) {
    const own = Array.isArray(planned) ? (planned as readonly Plain[]) : [];
    return live.flatMap((item: unknown, index) =>
      index < own.length
        ? addedTo(own[index] ?? null, item, `${path}[${String(index)}]`)
        : [`${path}[${String(index)}] is ${shown(item)}, which is not declared`],
    );
  }
  if (isMap(live)) {
    const own = isMap(planned) ? (planned as Readonly<Record<string, Plain>>) : {};
    return Object.entries(live).flatMap(([key, value]) => addedTo(own[key] ?? null, value, `${path}.${key}`));
  }
  return planned === null && live !== undefined && live !== null && !DEFAULTS.has(live)
    ? [`${path} is ${shown(live)}, which is not declared`]
    : [];
}

/** What the API server fills in where nothing is said. */
const DEFAULTS: ReadonlySet<unknown> = new Set(["", false, 0, "*", "Equivalent"]);

function differences(planned: Plain, live: unknown, path: string): readonly string[] {
  if (planned === UNKNOWN || planned === null || NOT_COMPARED.has(path)) return [];
  if (Array.isArray(planned)) {
    const items = planned as readonly Plain[];
    if (items.length === 0 && live === undefined) return [];
    if (!Array.isArray(live)) return [`${path} is ${shown(live)}, not ${shown(planned)}`];
    const each = items.flatMap((item, index) => differences(item, live[index], `${path}[${String(index)}]`));
    return live.length > items.length
      ? [...each, `${path} has ${String(live.length)} items, not ${String(items.length)}`]
      : each;
  }
  if (isMap(planned)) {
    const entries = Object.entries(planned as Readonly<Record<string, Plain>>);
    if (entries.length > 0 && !isMap(live)) return [`${path} is ${shown(live)}, not ${shown(planned)}`];
    const fields = (live ?? {}) as Record<string, unknown>;
    return entries.flatMap(([key, value]) => differences(value, fields[key], `${path}.${key}`));
  }
  if (same(planned, live)) return [];
  if (typeof planned === "string" && typeof live === "string" && planned.includes("\n"))
    return [lineOf(planned, live, path)];
  return [`${path} is ${shown(live)}, not ${shown(planned)}`];
}

/** The first line in which two texts differ; a digest of all that follows only where nothing else does. */
function lineOf(planned: string, live: string, path: string): string {
  const [wanted, own] = [planned.split("\n"), live.split("\n")];
  const longest = Math.max(wanted.length, own.length);
  const differing = Array.from({ length: longest }, (_, index) => index).filter(
    (index) => wanted[index] !== own[index],
  );
  const at = differing.find((index) => wanted[index]?.startsWith(DIGEST_LINE) !== true) ?? differing[0] ?? 0;
  return `${path}, line ${String(at + 1)}, is ${shown(own[at])}, not ${shown(wanted[at])}`;
}

/** By which a sidecar tells one state of a file from another. */
const DIGEST_LINE = "version_info:";

function same(planned: Plain, live: unknown): boolean {
  return planned === live || (live === undefined && (planned === false || planned === ""));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Short, and never a Secret's: those are not compared. */
function shown(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** How planned objects of a kind stand in the cluster. */
export interface Comparison {
  /** Planned, and not there. */
  readonly absent: readonly string[];
  /** There, and otherwise. */
  readonly changed: readonly string[];
  /** There, and not planned. */
  readonly unknown: readonly string[];
}

/**
 * Holds objects against the plan.
 *
 * @param exact tells as well what the spec of a live object has besides the plan's
 */
export function compared(
  planned: readonly PlannedObject[],
  live: readonly (KubeObject & { readonly spec?: unknown })[],
  { exact = false } = {},
): Comparison {
  const byName = new Map(live.map((object) => [named(object), object]));
  const names = new Set(planned.map(named));
  return {
    absent: planned.flatMap((object) => (byName.has(named(object)) ? [] : [`${named(object)} is missing`])),
    changed: planned.flatMap((object) => {
      const own = byName.get(named(object));
      if (own === undefined) return [];
      const added = exact ? addedTo(object.spec ?? null, own.spec, "spec") : [];
      return [...missingFrom(object, own), ...added].map((text) => `${named(object)}: ${text}`);
    }),
    unknown: live.map(named).filter((name) => !names.has(name)),
  };
}

/** `Role lucid-ops/reader`. */
function named(object: KubeObject): string {
  return `${object.kind} ${titleOf(object)}`;
}
