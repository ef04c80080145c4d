/** What to do so that etcd says what the cluster says. Pure: no clock, no network. */
import type { Registration } from "../registry/registration.js";
import type { Actual } from "../registry/registry.js";
import { recordOf, type EtcdEntry } from "./entry.js";
import type { KeyValue } from "./store.js";

/** One write to etcd. All of them may be repeated without harm. */
export type Write =
  | { readonly kind: "register"; readonly record: KeyValue }
  /** The instance's own key, or one that somebody else put there: it would be resolved. */
  | { readonly kind: "deregister" | "remove-record"; readonly key: string };

/**
 * Compares one pod with what is desired of it. An instance that isn't ready has no place: names are answered with whoever has one.
 *
 * @param lease on which the zone's records hang
 * @returns the registration first, so that a pod whose key changes is never without one
 */
export function planPod(desired: Registration | undefined, actual: Actual<EtcdEntry>, lease: string): Write[] {
  const wanted = desired?.ready === true ? recordOf(desired, lease) : undefined;
  const records = actual === undefined || actual === "unknown" ? [] : actual.records;
  const isThere = records.some((record) => wanted !== undefined && isSame(record, wanted));
  const others = records.filter(({ key }) => key !== wanted?.key);
  return [
    ...(wanted === undefined || isThere ? [] : [{ kind: "register" as const, record: wanted }]),
    ...others.map(({ key }) => ({
      kind: wanted === undefined ? ("deregister" as const) : ("remove-record" as const),
      key,
    })),
  ];
}

function isSame(one: KeyValue, other: KeyValue): boolean {
  return one.key === other.key && one.value === other.value && one.lease === other.lease;
}
