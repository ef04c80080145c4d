import type { Field } from "../../../judgement/field";
import { objectsRead } from "../../../kubernetes/references";
import { partyOf } from "../../party";
import type { Holder } from "../model";

/** A pod template, with whose it is. */
export interface PodTemplate {
  /** `Deployment lucid-mesh/mesh-controller`. */
  readonly title: string;
  readonly namespace: string;
  readonly spec: Field;
}

/** Who has what lies in some objects, by their titles. */
export type HoldersOf = (objects: readonly string[]) => readonly Holder[];

/**
 * Tells who reads objects: the parties of pods that have them as volumes and variables, and of those that are such an object themselves.
 *
 * @throws Unjudgeable
 */
export function holdersIn(templates: readonly PodTemplate[]): HoldersOf {
  const readers = new Map<string, Set<string>>();
  const add = (key: string, party: string) => readers.set(key, (readers.get(key) ?? new Set()).add(party));
  for (const { title, namespace, spec } of templates) {
    const account = spec.at("serviceAccountName").text() ?? "default";
    const party = partyOf({ namespace: { name: namespace }, account });
    add(title, party);
    for (const name of objectsRead(spec)) {
      // A reference says the kind by where it stands; a Secret and a ConfigMap of one name are taken for one.
      for (const kind of ["Secret", "ConfigMap"]) add(`${kind} ${namespace}/${name.text() ?? ""}`, party);
    }
  }
  return (objects) =>
    objects.flatMap((object) =>
      [...(readers.get(object) ?? [])].map((party) => ({ party, place: { object, path: "" } })),
    );
}
