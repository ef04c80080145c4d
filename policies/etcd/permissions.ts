/**
 * What etcd lets a user do with a key (https://etcd.io/docs/v3.6/op-guide/authentication/rbac/; `server/auth/range_perm_cache.go` of etcd 3.6).
 *
 * Keys are bytes; here they stand as texts, one character for each.
 */

/** The role that may do everything; it needs no permission. */
export const ROOT_ROLE = "root";

/** Keys from the first on, up to the end without it; no end: all that follow. */
export interface KeyRange {
  readonly start: string;
  readonly end: string | undefined;
}

export type EtcdRight = "read" | "write";

/** A role's right to a range of keys. To write is not to read. */
export interface KeyPermission {
  readonly range: KeyRange;
  readonly rights: readonly EtcdRight[];
  /** Where it stands: `role registrar-ops`. */
  readonly ground: string;
}

/** A user, with what its roles together may do. */
export interface EtcdUser {
  readonly name: string;
  readonly isRoot: boolean;
  readonly permissions: readonly KeyPermission[];
}

/**
 * A range as etcd's API gives it: no end is the key alone, an end of one zero byte is all that follow.
 *
 * @returns undefined for one that etcd refuses
 */
export function rangeOf(key: string, end: string): KeyRange | undefined {
  if (key === "") return undefined;
  if (end === "") return { start: key, end: `${key}\0` };
  if (end === "\0") return { start: key, end: undefined };
  return key < end ? { start: key, end } : undefined;
}

/** All keys that begin with a prefix. A prefix ends before the next text of its length; where there is none, nowhere. */
export function rangeOfPrefix(prefix: string): KeyRange {
  for (let length = prefix.length; length > 0; length -= 1) {
    const last = prefix.charCodeAt(length - 1);
    if (last < 0xff) return { start: prefix, end: prefix.slice(0, length - 1) + String.fromCharCode(last + 1) };
  }
  return { start: prefix, end: undefined };
}

export function includes({ start, end }: KeyRange, key: string): boolean {
  return key >= start && (end === undefined || key < end);
}

/** The permission by which a user has a right to a key; `root` for who may do everything; undefined where it hasn't. */
export function permissionFor(
  { isRoot, permissions }: EtcdUser,
  right: EtcdRight,
  key: string,
): KeyPermission | typeof ROOT_ROLE | undefined {
  if (isRoot) return ROOT_ROLE;
  return permissions.find(({ range, rights }) => rights.includes(right) && includes(range, key));
}

/** Keys of which one stands for all that no range tells apart: where each begins, and where each ends. */
export function representativeKeys(ranges: readonly KeyRange[]): readonly string[] {
  return [...new Set(ranges.flatMap(({ start, end }) => (end === undefined ? [start] : [start, end])))].sort();
}
