import { isProperties, type Value } from "../protocol/values";

const SUFFIXES: ReadonlyMap<string, number> = new Map([
  ["n", 1e-9],
  ["u", 1e-6],
  ["m", 1e-3],
  ["", 1],
  ["k", 1e3],
  ["M", 1e6],
  ["G", 1e9],
  ["T", 1e12],
  ["P", 1e15],
  ["E", 1e18],
  ["Ki", 2 ** 10],
  ["Mi", 2 ** 20],
  ["Gi", 2 ** 30],
  ["Ti", 2 ** 40],
  ["Pi", 2 ** 50],
  ["Ei", 2 ** 60],
]);

/** The size of a quantity (`500m`, `1Gi`, `2e3`, 0.5); `undefined` where it isn't one. */
export function parseQuantity(value: Value | undefined): number | undefined {
  if (typeof value === "number") {
    return value;
  }
  if (typeof value !== "string") {
    return undefined;
  }
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(value);
  const scale = SUFFIXES.get(match?.[3] ?? "");
  return match === null || scale === undefined ? undefined : Number(`${match[1] ?? ""}${match[2] ?? ""}`) * scale;
}

/** Members whose own value is a quantity, and members that hold quantities by name. */
const QUANTITIES: ReadonlySet<string> = new Set(["sizeLimit", "divisor", "averageValue", "storage"]);
const MAPS_OF_QUANTITIES: ReadonlySet<string> = new Set([
  "limits",
  "requests",
  "capacity",
  "hard",
  "overhead",
  "podFixed",
  "default",
  "defaultRequest",
  "max",
  "min",
  "maxLimitRequestRatio",
]);

/**
 * Whether two values at this path are quantities of one size. The API server stores the shortest form (`1` for `1000m`), so a
 * difference of the texts alone is no difference.
 */
export function sameQuantity(path: readonly (string | number)[], left: Value, right: Value): boolean {
  if (isProperties(left) || isProperties(right)) {
    return false;
  }
  const own = path.at(-1);
  const parent = path.at(-2);
  const isQuantity =
    (typeof own === "string" && QUANTITIES.has(own)) || (typeof parent === "string" && MAPS_OF_QUANTITIES.has(parent));
  if (!isQuantity) {
    return false;
  }
  const a = parseQuantity(left);
  const b = parseQuantity(right);
  // Relative, because a decimal fraction times its scale is not exact in floating point.
  return a !== undefined && b !== undefined && Math.abs(a - b) <= Math.abs(a) * 1e-12;
}
