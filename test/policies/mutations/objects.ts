/** Operators on whole objects, and on what their values come from. */
import type { Plain } from "../../../policies/judgement/plain";
import { objectOf } from "./mutation";
import type { Mutation } from "./mutation";
import type { Names } from "./names";
import type { OperatorName } from "./operators";
import { isMap } from "./place";
import type { Spec } from "./plan";

/** Objects dropped, duplicated, given to other namespaces, and two of a type each with the other's content. */
export function* objectMutations(spec: Spec, others: readonly Spec[], names: Names): Generator<Mutation> {
  const object = objectOf(spec.type);
  const mutation = (operator: OperatorName, how: string, change: Mutation["change"]): Mutation => ({
    title: `${operator} ${how}: ${object} ${spec.name}`,
    kind: `${operator} ${names.generalize(how)}: ${object} ${names.generalize(spec.name)}`,
    operator,
    object,
    change,
    touches: "everything",
  });
  const one = (...specs: readonly Spec[]) => new Map([[spec.urn, specs]]);
  yield mutation("drop", "the object", one());
  yield mutation("duplicate", "under its name", one(spec, copyOf(spec, spec.inputs)));
  const { metadata } = spec.inputs;
  if (isMap(metadata)) {
    const named = (name: string, more: { readonly [key: string]: Plain } = {}) => ({
      ...spec.inputs,
      metadata: { ...metadata, name, ...more },
    });
    const name = typeof metadata.name === "string" ? metadata.name : "unnamed";
    yield mutation("duplicate", "under another name", one(spec, copyOf(spec, named(`${name}-copy`))));
    if (typeof metadata.namespace === "string") {
      for (const namespace of [
        "lucid-ops",
        "lucid-chain",
        "lucid-wallet",
        "lucid-mesh",
        "lucid-edge",
        "default",
        "kube-system",
      ]) {
        if (namespace === metadata.namespace) continue;
        const moved = named(name, { namespace });
        yield mutation("move", `to ${namespace}`, one({ ...spec, inputs: moved }));
        yield mutation("duplicate", `in ${namespace}`, one(spec, copyOf(spec, moved)));
      }
    }
  }
  const next = others[0];
  if (next !== undefined) {
    const change = new Map([
      [spec.urn, [withContentOf(spec, next)]],
      [next.urn, [withContentOf(next, spec)]],
    ]);
    yield mutation("swap", `of content with ${next.name}`, change);
  }
}

/** What a value comes from: other resources of the kind, none, and a key besides. */
export function* sourceMutations(
  spec: Spec,
  others: readonly Spec[],
  keys: readonly Spec[],
  names: Names,
): Generator<Mutation> {
  const object = objectOf(spec.type);
  for (const [property, sources] of Object.entries(spec.sources)) {
    const mutation = (operator: OperatorName, how: string, now: readonly string[]): Mutation => ({
      title: `${operator} ${how}: ${object} ${spec.name} origin of ${property}`,
      kind: `${operator} ${names.generalize(how)}: ${object} ${names.generalize(spec.name)} origin of ${property}`,
      operator,
      object,
      change: new Map([[spec.urn, [{ ...spec, sources: { ...spec.sources, [property]: now } }]]]),
      touches: "everything",
    });
    yield mutation("drop", "of all", []);
    for (const source of sources) {
      if (sources.length > 1)
        yield mutation(
          "drop",
          `of ${nameOf(source)}`,
          sources.filter((other) => other !== source),
        );
      const siblings = others.flatMap((other) => other.sources[property] ?? []);
      const sibling = siblings.find((other) => typeOf(other) === typeOf(source) && !sources.includes(other));
      if (sibling !== undefined)
        yield mutation(
          "swap",
          `of ${nameOf(source)} for another object's`,
          sources.map((other) => (other === source ? sibling : other)),
        );
    }
    for (const key of keys)
      if (!sources.includes(key.urn)) yield mutation("add", `of ${key.name}`, [...sources, key.urn]);
  }
}

function copyOf(spec: Spec, inputs: Spec["inputs"]): Spec {
  return { ...spec, inputs, name: `${spec.name}-copy`, urn: `${spec.urn}-copy` };
}

/** What an object is called and where it lies is its own; everything else, and what that comes from, is the other's. */
function withContentOf(spec: Spec, other: Spec): Spec {
  const { metadata } = spec.inputs;
  const inputs: Spec["inputs"] = metadata === undefined ? other.inputs : { ...other.inputs, metadata };
  return { ...spec, inputs, sources: other.sources };
}

function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function nameOf(urn: string): string {
  return urn.split("::")[3] ?? urn;
}
