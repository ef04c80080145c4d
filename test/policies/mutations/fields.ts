import type { Plain } from "../../../policies/judgement/plain";
import { formatAt } from "./documents";
import { objectOf } from "./mutation";
import type { Mutation } from "./mutation";
import type { Names } from "./names";
import { OPERATORS } from "./operators";
import type { Edit } from "./operators";
import { isList, nameOf, placesOf, replaced } from "./place";
import type { Path, Place } from "./place";
import type { Spec } from "./plan";

/** What of a resource is changed. */
export interface Extent {
  /** Whether values may become unknown: in a plan that is not carried out yet. */
  readonly hasUnknowns: boolean;
  readonly isMeant: (path: Path) => boolean;
}

/**
 * Every operator on every field of a resource, its texts that are documents field by field.
 *
 * @param others resources of the same type
 */
export function* fieldMutations(
  spec: Spec,
  others: readonly Spec[],
  names: Names,
  { hasUnknowns, isMeant }: Extent,
): Generator<Mutation> {
  const { anotherOf, generalize } = names;
  const alike = others.map(({ inputs }) => inputs);
  for (const place of placesOf(spec.inputs, alike, generalize)) {
    if (!isMeant(place.path)) continue;
    for (const [operator, edit] of editsAt(place, { anotherOf, hasUnknowns }))
      yield mutation(operator, place, edit, edit);
    for (const { inner, whole } of placesIn(spec, place, generalize)) {
      for (const [operator, edit] of editsAt(inner, { anotherOf, hasUnknowns: false }))
        yield mutation(operator, inner, edit, whole(edit));
    }
  }

  /** @param inner what is changed where the place is in a text, `outer` the text */
  function mutation(
    operator: Mutation["operator"],
    place: Place,
    inner: Edit,
    outer: Pick<Edit, "path" | "value">,
  ): Mutation {
    const inputs = replaced(spec.inputs, outer.path, outer.value) as Spec["inputs"];
    const object = objectOf(spec.type);
    // Where an element goes, others take its place.
    const touched = inner.value === undefined && isList(place.value) ? outer.path.slice(0, -1) : outer.path;
    const sources = sourcesOf(spec, inputs);
    const isSevered = Object.keys(sources).length < Object.keys(spec.sources).length;
    return {
      title: `${operator} ${inner.how}: ${object} ${spec.name} ${place.title}`,
      kind: `${operator} ${generalHow(inner.how, place, generalize)}: ${object} ${generalize(spec.name)} ${place.general}`,
      operator,
      object,
      change: new Map([[spec.urn, [{ ...spec, inputs, sources }]]]),
      touches: isSevered ? "everything" : [{ urn: spec.urn, path: touched }],
    };
  }
}

/** What isn't there comes from nowhere. */
function sourcesOf({ sources }: Spec, inputs: Spec["inputs"]): Spec["sources"] {
  return Object.fromEntries(Object.entries(sources).filter(([property]) => Object.hasOwn(inputs, property)));
}

function* editsAt(place: Place, context: Parameters<(typeof OPERATORS)[number][1]>[1]) {
  for (const [operator, edits] of OPERATORS) for (const edit of edits(place, context)) yield [operator, edit] as const;
}

/** The places of a document in a text. `whole` tells what an edit of it makes of the text. */
function* placesIn(spec: Spec, { path, value, title, general, others }: Place, generalize: Names["generalize"]) {
  const format = typeof value === "string" ? formatAt(spec, path, value) : undefined;
  if (format === undefined) return;
  const read = (text: Plain): Plain[] =>
    typeof text === "string" && formatAt(spec, path, text) === format ? [format.read(text)] : [];
  const [document = null] = read(value);
  for (const inner of placesOf(document, others.flatMap(read), generalize)) {
    yield {
      inner: { ...inner, title: `${title}: ${inner.title}`, general: `${general}: ${inner.general}` },
      whole: (edit: Edit) => ({ path, value: format.write(replaced(document, edit.path, edit.value)) }),
    };
  }
}

/** Elements are told by their names and not by their places. */
function generalHow(how: string, { value }: Place, generalize: Names["generalize"]): string {
  const index = /^of (\d+)/.exec(how)?.[1];
  if (index === undefined || !isList(value)) return generalize(how);
  const item = value[Number(index)];
  const name = typeof item === "string" ? item.split("\n")[0] : nameOf(item ?? null);
  return generalize(how.replace(/\d+/, () => name ?? "one"));
}
