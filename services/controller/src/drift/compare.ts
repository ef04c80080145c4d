/** What of an object is not as it was declared. Pure. */
import { STANDING_FOR } from "../../../../mesh/declarations/index.js";
import { isAbsent, isDefault, isDropped, isNothing } from "./defaults.js";
import { isSameQuantity } from "./quantity.js";

/** One place of an object. */
export interface Difference {
  /** `spec.ingress[0].ports`. */
  readonly path: string;
  readonly kind: "changed" | "removed" | "added";
}

export type Fields = Readonly<Record<string, unknown>>;

export interface CompareOptions {
  /** Digest of the file by which sidecars trust a zone; undefined where it isn't told. */
  readonly trust: (zone: string) => string | undefined;
}

/**
 * Compares what was declared with what there is, field by field. What was not declared is a difference as well, but for what the API server fills in by itself; lists are
 * the same item by item, in their order.
 *
 * Files of a ConfigMap come as their digests, on either side.
 */
export function differences(declared: Fields, live: Fields, options: CompareOptions): readonly Difference[] {
  return compareMaps("", undefined, declared, live, options);
}

/** Labels: what others add selects nothing that was declared. */
export function labelDifferences(
  declared: Readonly<Record<string, string>>,
  live: Readonly<Record<string, string>>,
): readonly Difference[] {
  return Object.entries(declared)
    .filter(([label, value]) => live[label] !== value)
    .map(([label]) => ({
      path: `metadata.labels[${JSON.stringify(label)}]`,
      kind: live[label] === undefined ? "removed" : "changed",
    }));
}

function compareMaps(
  path: string,
  map: string | undefined,
  declared: Fields,
  live: Fields,
  options: CompareOptions,
): Difference[] {
  const found: Difference[] = [];
  for (const [field, value] of Object.entries(declared)) {
    const there = live[field];
    const place = join(path, field);
    if (isAbsent(map, there) && !isStandIn(value)) {
      if (!isDropped(map, field, value)) found.push({ path: place, kind: "removed" });
    } else {
      found.push(...compare(place, field, value, there, options));
    }
  }
  for (const [field, value] of Object.entries(live)) {
    if (!Object.hasOwn(declared, field) && !isDefault(map, field, value, live))
      found.push({ path: join(path, field), kind: "added" });
  }
  return found;
}

function compare(path: string, field: string, declared: unknown, live: unknown, options: CompareOptions): Difference[] {
  if (isStandIn(declared))
    return standsIn(declared, live, options) ? [] : [{ path, kind: live === undefined ? "removed" : "changed" }];
  if (Array.isArray(declared) && Array.isArray(live)) {
    if (declared.length !== live.length) return [{ path, kind: "changed" }];
    return declared.flatMap((item: unknown, index) =>
      compare(`${path}[${String(index)}]`, field, item, live[index], options),
    );
  }
  if (isMap(declared) && isMap(live)) return compareMaps(path, field, declared, live, options);
  return declared === live || isSameQuantity(declared, live) ? [] : [{ path, kind: "changed" }];
}

/** A map of one entry that stands for what a declaration doesn't hold itself. */
function isStandIn(value: unknown): value is Fields {
  if (!isMap(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && (Object.values(STANDING_FOR) as readonly string[]).includes(keys[0] ?? "");
}

function standsIn(declared: Fields, live: unknown, { trust }: CompareOptions): boolean {
  if (STANDING_FOR.digest in declared) return live === declared[STANDING_FOR.digest];
  const zone = declared[STANDING_FOR.trust];
  if (typeof zone === "string") {
    const digest = trust(zone);
    return !isNothing(live) && (digest === undefined || live === digest);
  }
  return !isNothing(live);
}

export function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function join(path: string, field: string): string {
  if (!/^[A-Za-z_]\w*$/.test(field)) return `${path}[${JSON.stringify(field)}]`;
  return path === "" ? field : `${path}.${field}`;
}
