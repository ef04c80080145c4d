import { DiffResponse, PropertyDiff as WireDiff } from "@pulumi/pulumi/proto/provider_pb";

import type { DiffResult, PropertyDiff, PropertyDiffKind } from "./provider";
import { isProperties, isUnknown, type Properties, sameValue, Secret, type Value } from "./values";

/** What {@link diffInputs} takes besides the values. */
export interface DiffRules {
  /** Top-level inputs whose change needs a new object; `"all"` for resources that can't be changed at all. */
  readonly replaceOn: readonly string[] | "all";
  /** Top-level inputs that differ without consequence. */
  readonly ignore?: readonly string[];
  readonly deleteBeforeReplace?: boolean;
}

/** The difference between old and new inputs, path by path; a value that isn't known yet counts as changed. */
export function diffInputs(oldInputs: Properties, news: Properties, rules: DiffRules): DiffResult {
  const detailedDiff: Record<string, PropertyDiff> = {};
  for (const key of new Set([...Object.keys(oldInputs), ...Object.keys(news)])) {
    if (rules.ignore?.includes(key) === true) {
      continue;
    }
    const replace = rules.replaceOn === "all" || rules.replaceOn.includes(key);
    for (const [path, kind] of differences(key, oldInputs[key], news[key])) {
      detailedDiff[path] = { kind: replace ? `${kind}-replace` : kind, inputDiff: true };
    }
  }
  return { detailedDiff, deleteBeforeReplace: rules.deleteBeforeReplace ?? false };
}

/** The provider's own arguments compared; a changed one of `replaceKeys` replaces the provider and its resources. */
export function configDiff(olds: Properties, news: Properties, replaceKeys: readonly string[]): DiffResult {
  return diffInputs(olds, news, { replaceOn: replaceKeys, ignore: ["version", "pluginDownloadURL"] });
}

type PlainKind = "add" | "delete" | "update";

/** Every path at which two values differ, with how; paths are written as the engine writes them. */
export function differences(path: string, old: Value | undefined, now: Value | undefined): [string, PlainKind][] {
  const before = old instanceof Secret ? old.value : old;
  const after = now instanceof Secret ? now.value : now;
  if (isUnknown(after)) {
    return [[path, before === undefined ? "add" : "update"]];
  }
  if (sameValue(before, after)) {
    return [];
  }
  if (before === undefined || before === null) {
    return after === undefined || after === null ? [] : [[path, "add"]];
  }
  if (after === undefined || after === null) {
    return [[path, "delete"]];
  }
  if (isProperties(before) && isProperties(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(childPath(path, key), before[key], after[key]));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const indices = Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index);
    return indices.flatMap((index) => differences(`${path}[${String(index)}]`, before[index], after[index]));
  }
  return [[path, "update"]];
}

/** The path of a member: `.name` where the name is an identifier, else `["name"]`. */
export function childPath(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

/** The top-level property of a path. */
export function topLevel(path: string): string {
  return /^[^.[]+/.exec(path)?.[0] ?? path;
}

/** The protocol's answer made from an implementation's. */
export function diffResponse(result: DiffResult): DiffResponse {
  const entries = Object.entries(result.detailedDiff ?? {});
  const replaces =
    result.replaces ??
    unique(entries.filter(([, { kind }]) => kind.endsWith("-replace")).map(([path]) => topLevel(path)));
  const changes = result.changes ?? (entries.length > 0 || replaces.length > 0);

  const response = new DiffResponse();
  response.setChanges(changes ? DiffResponse.DiffChanges.DIFF_SOME : DiffResponse.DiffChanges.DIFF_NONE);
  response.setReplacesList([...replaces]);
  response.setStablesList([...(result.stables ?? [])]);
  response.setDeletebeforereplace(result.deleteBeforeReplace ?? false);
  response.setDiffsList(unique(entries.map(([path]) => topLevel(path))));
  response.setHasdetaileddiff(result.detailedDiff !== undefined);
  for (const [path, { kind, inputDiff }] of entries) {
    const entry = new WireDiff();
    entry.setKind(KINDS[kind]);
    entry.setInputdiff(inputDiff ?? false);
    response.getDetaileddiffMap().set(path, entry);
  }
  return response;
}

const KINDS: Readonly<Record<PropertyDiffKind, WireDiff.Kind>> = {
  add: WireDiff.Kind.ADD,
  "add-replace": WireDiff.Kind.ADD_REPLACE,
  delete: WireDiff.Kind.DELETE,
  "delete-replace": WireDiff.Kind.DELETE_REPLACE,
  update: WireDiff.Kind.UPDATE,
  "update-replace": WireDiff.Kind.UPDATE_REPLACE,
};

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
