/** Putting right what is not as it was declared. */
import {
  apiVersionOf,
  collectionPath,
  kindNamed,
  type DeclaredKind,
  type DeclaredObject,
} from "../../../../mesh/declarations/index.js";
import type { ApiWriter } from "../election/fence.js";
import { isMap, type Fields } from "./compare.js";
import { isDefault } from "./defaults.js";
import type { Finding } from "./finding.js";

/**
 * Field manager under which repairs are written: the one by which Pulumi's provider creates objects. What is written under it the provider turns over to the object's own
 * manager at its next update, so that a repair leaves no conflict and nothing to change.
 *
 * Server-side apply would not do: another manager's fields would be a conflict when Pulumi changes them, and what a third one added would stay.
 */
const MANAGER = "pulumi-kubernetes";

/** Writes what was declared, or takes away what was not. The watch tells what came of it. */
export async function repair(
  api: ApiWriter,
  finding: Finding,
  declared: DeclaredObject | undefined,
  signal: AbortSignal,
): Promise<void> {
  const kind = kindNamed(finding.kind);
  if (kind === undefined) throw new Error(`${finding.kind} is no kind that is put right`);
  const collection = collectionPath(kind, finding.namespace);
  const path = `${collection}/${encodeURIComponent(finding.name)}`;
  const { live } = finding;
  if (declared === undefined) {
    if (live !== undefined) await api.remove(path, live.uid, signal);
  } else if (live === undefined) {
    await api.create(`${collection}?fieldManager=${MANAGER}`, wholeObject(kind, declared), signal);
  } else {
    const metadata = { resourceVersion: live.version, labels: declared.labels };
    const fields = patchTo(declared.fields, JSON.parse(live.fields) as Fields);
    await api.patch(`${path}?fieldManager=${MANAGER}`, { metadata, ...fields }, signal);
  }
}

/** The object as the program makes it. */
export function wholeObject(kind: DeclaredKind, { namespace, name, labels, fields }: DeclaredObject): Fields {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels },
    ...fields,
  };
}

/** The merge patch (RFC 7396) by which fields become those that are declared: what was not is taken out, lists are replaced. */
export function patchTo(declared: Fields, live: Fields, map?: string): Fields {
  const patch: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(declared)) {
    const there = live[field];
    patch[field] = isMap(value) && isMap(there) ? patchTo(value, there, field) : value;
  }
  for (const [field, value] of Object.entries(live)) {
    if (!Object.hasOwn(declared, field) && !isDefault(map, field, value, live)) patch[field] = null;
  }
  return patch;
}
