import type { DiffResult, PropertyDiff, PropertyDiffKind } from "../protocol/provider";
import { containsUnknowns, isProperties, isUnknown, sameValue, type Value } from "../protocol/values";
import { isBuiltIn, kindOfObject } from "./kinds";
import { isAutonamed } from "./naming";
import { at, isNamed, type KubeObject, nameOf, namespaceOf, withAt, withoutAt } from "./objects";
import { contains, formatPath, parsePath, type Path } from "./paths";
import { prune } from "./prune";
import { sameQuantity } from "./quantity";
import { isReplacing, type Mutability, replacingPaths } from "./replacement";

/** What {@link diffObjects} compares. All in normal form. */
export interface Comparison {
  /** Inputs that made what is there. */
  readonly oldInputs: KubeObject;
  /** The object as it was last seen. */
  readonly oldLive: KubeObject;
  readonly newInputs: KubeObject;
  readonly namespaced: boolean;
  readonly mutable: Mutability;
  readonly ignoreChanges: readonly string[];
}

interface Difference {
  readonly path: Path;
  readonly kind: "add" | "delete" | "update";
  /** The new value; `undefined` when it is taken away. */
  readonly value: Value | undefined;
}

/**
 * Compares the new inputs with the live object cut to the shape of the old inputs, so that what others changed is seen as soon as a
 * refresh has brought it into the state, and what the cluster filled in is not.
 */
export function diffObjects(comparison: Comparison): DiffResult {
  const { oldLive, mutable } = comparison;
  const { before, after } = comparable(comparison);
  const ignored = comparison.ignoreChanges.map(parsePath);
  const found = differences(
    [],
    before,
    after,
    isBuiltIn(kindOfObject(after)) ? comparison.oldInputs : undefined,
  ).filter(({ path }) => !ignored.some((outer) => contains(outer, path)));
  const rules = replacingPaths(after, mutable);
  const entries = found.map((difference): [string, PropertyDiff] => [
    formatPath(difference.path),
    { kind: kindOfDifference(difference, rules), inputDiff: difference.kind === "delete" },
  ]);
  const replaces = entries.flatMap(([path, { kind }]) => (kind.endsWith("-replace") ? [path] : []));
  return {
    detailedDiff: Object.fromEntries(entries),
    changes: entries.length > 0,
    replaces,
    deleteBeforeReplace:
      replaces.length > 0 &&
      isNamed(after) &&
      !isAutonamed(after) &&
      nameOf(after) === nameOf(oldLive) &&
      namespaceOf(after) === namespaceOf(oldLive),
  };
}

/** Both sides with what may differ without meaning made equal: the default namespace, a name once generated. */
function comparable({ oldInputs, oldLive, newInputs, namespaced }: Comparison): {
  before: KubeObject;
  after: KubeObject;
} {
  let before = withoutAt(prune(oldLive, oldInputs), ["metadata", "resourceVersion"]);
  let after = newInputs;
  if (namespaced) {
    before = withAt(before, ["metadata", "namespace"], namespaceOf(before) || "default");
    if (!isUnknown(at(after, "metadata", "namespace"))) {
      after = withAt(after, ["metadata", "namespace"], namespaceOf(after) || "default");
    }
  } else {
    before = withoutAt(before, ["metadata", "namespace"]);
    after = withoutAt(after, ["metadata", "namespace"]);
  }
  if (nameOf(after) !== "") {
    before = withAt(before, ["metadata", "name"], nameOf(oldLive));
  }
  if (before.kind === undefined && oldLive.kind !== undefined) {
    before = { ...before, kind: oldLive.kind, apiVersion: oldLive.apiVersion ?? null };
  }
  return { before, after };
}

function kindOfDifference({ path, kind, value }: Difference, rules: readonly Path[]): PropertyDiffKind {
  // An object can't lose its metadata: such a difference is another object.
  const replaces = isReplacing(rules, path, value) || (kind === "delete" && formatPath(path) === "metadata");
  return replaces ? `${kind}-replace` : kind;
}

/**
 * @param oldInput what the program said of this place before, for built-in kinds: a value that the API server dropped then (`false` or
 *   an empty list, where that is the default) and that is said again is no difference
 */
function differences(path: Path, before: Value, after: Value, oldInput: Value | undefined): Difference[] {
  if (isProperties(before) && isProperties(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => compare([...path, key], before[key], after[key], at(oldInput, key)));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const longest = before.length > after.length ? before : after;
    return longest.flatMap((_, index) =>
      compare([...path, index], before[index], after[index], Array.isArray(oldInput) ? oldInput[index] : undefined),
    );
  }
  return isUnknown(after) || !(sameValue(before, after) || sameQuantity(path, before, after))
    ? [{ path, kind: "update", value: after }]
    : [];
}

function compare(
  path: Path,
  before: Value | undefined,
  after: Value | undefined,
  oldInput: Value | undefined,
): Difference[] {
  // The API has no null: it says that a field isn't given.
  const isGiven = after !== undefined && after !== null;
  if (before === undefined || before === null) {
    const dropped = oldInput !== undefined && !containsUnknowns(after) && sameValue(oldInput, after);
    return !isGiven || dropped ? [] : [{ path, kind: "add", value: after }];
  }
  return isGiven ? differences(path, before, after, oldInput) : [{ path, kind: "delete", value: undefined }];
}
