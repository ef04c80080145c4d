/** The discovery backends that checks know. Nothing else of them tells one from the other. */
import type { Check } from "../check";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import type { BackendName, CheckedBackend } from "./backend";
import { consul } from "./consul";
import { etcd } from "./etcd";

const BACKENDS: Readonly<Record<BackendName, CheckedBackend>> = { consul, etcd };

/** Of every backend. */
export const addressChecks: readonly Check[] = Object.values(BACKENDS).map(({ address }) => address);
export const backendChecks: readonly Check[] = Object.values(BACKENDS).flatMap(({ checks }) => checks);

/** The backend that the stack declares. */
export function backendIn(context: Pick<CheckContext, "declaration">): CheckedBackend {
  return BACKENDS[declaredIn(context).settings.discoveryBackend];
}
