import { z } from "zod";
import { ZONES, type ZoneName } from "../../mesh";

/**
 * Which generations of a zone's authorities there are. A zone's issuing authorities are the product of the two lists: each trusted root has one of
 * every kept generation, so that its revocation list is with every peer before the first certificate that it signs.
 */
export interface AuthorityGenerations {
  readonly roots: Generations;
  readonly issuers: Generations;
}

/** Generations of one kind of authority, numbered from 1. */
export interface Generations {
  /** Those that peers believe, ascending. */
  readonly accepted: readonly number[];
  /** The one that signs; one of the accepted. */
  readonly issuing: number;
  /** Those whose key is not the zone's alone any more: connections that they may have opened are cut off. */
  readonly compromised: readonly number[];
}

/** What a zone has that says nothing else: one root, one issuing authority. */
export const FIRST_GENERATIONS: AuthorityGenerations = { roots: first(), issuers: first() };

/** Generations by zone, as a stack's configuration says them; a zone that isn't named has the first. */
export type ZoneGenerations = Partial<Readonly<Record<ZoneName, Generations>>>;

/** Parses `rootGenerations`: `{"ops": {"trusted": [1, 2], "issuing": 2}}`. */
export const rootGenerations = generationsByZone("trusted", "no peer would believe what it signs");
/** Parses `issuingGenerations`: `{"ops": {"kept": [1, 2], "issuing": 2}}`. */
export const issuingGenerations = generationsByZone("kept", "no peer would have its revocation list, and so refuse");

/** The generations of one zone. */
export function generationsOf(
  zone: ZoneName,
  stack: { readonly rootGenerations?: ZoneGenerations; readonly issuingGenerations?: ZoneGenerations },
): AuthorityGenerations {
  return { roots: stack.rootGenerations?.[zone] ?? first(), issuers: stack.issuingGenerations?.[zone] ?? first() };
}

/** Generations that peers believe, by their numbers. */
export interface AcceptedGenerations {
  readonly roots: readonly number[];
  readonly issuers: readonly number[];
}

/** The generations of a zone's authorities that its peers are to believe. */
export function acceptedOf({ roots, issuers }: AuthorityGenerations): AcceptedGenerations {
  return { roots: roots.accepted, issuers: issuers.accepted };
}

/** Short text of what a zone has, for an annotation; undefined where it has the first generations alone. */
export function describeGenerations({ roots, issuers }: AuthorityGenerations): string | undefined {
  const isFirst = [roots, issuers].every(({ accepted, issuing }) => accepted.join() === "1" && issuing === 1);
  if (isFirst) return undefined;
  const part = ({ accepted, issuing }: Generations) => `${accepted.join(",")}>${String(issuing)}`;
  return `roots ${part(roots)} issuers ${part(issuers)}`;
}

function first(): Generations {
  return { accepted: [1], issuing: 1, compromised: [] };
}

/**
 * The schema of one setting. What would lock peers out of a zone is refused, with the order of the steps that does not. What the cluster has by now can't
 * be known here: docs/certificates.md says how to tell that a step has arrived before the next.
 *
 * @param list the key of the accepted generations
 * @param consequence what would happen if the issuing one were not among them
 */
function generationsByZone(list: "trusted" | "kept", consequence: string) {
  const numbers = z.array(z.int("is not a whole number").min(1, "counts from 1"));
  const entry = z
    .strictObject({
      [list]: numbers.min(1, "is empty: nothing of the zone would be believed; name at least the one that issues"),
      issuing: z.int("is not a whole number").min(1, "counts from 1"),
      compromised: numbers.default([]),
    })
    .transform((value, context): Generations => {
      const accepted = [...(value[list] as number[])].sort((a, b) => a - b);
      const issuing = value.issuing as number;
      const compromised = [...(value.compromised as number[])].sort((a, b) => a - b);
      const say = (message: string) => {
        context.addIssue({ code: "custom", message });
      };
      if (new Set(accepted).size < accepted.length) say(`names a generation twice in ${list}`);
      if (!accepted.includes(issuing)) {
        const next = [...new Set([...accepted, issuing])].sort((a, b) => a - b).join(", ");
        say(
          `issues by generation ${String(issuing)}, which is not among ${list} (${accepted.join(", ")}): ${consequence}. ` +
            `The steps are: ${list} [${next}], and pulumi up; when every pod has it, issuing ${String(issuing)}, and pulumi up; ` +
            `when every pod has that, take the old one out of ${list}, and pulumi up`,
        );
      }
      for (const generation of compromised.filter((candidate) => accepted.includes(candidate))) {
        say(`calls generation ${String(generation)} compromised and accepts it; take it out of ${list}`);
      }
      return { accepted, issuing, compromised };
    });
  return z.preprocess(
    fromJson,
    z.partialRecord(z.enum(ZONES, `is no zone; zones are ${ZONES.join(", ")}`), entry, "is no JSON object by zone"),
  );
}

/** Values of a stack's configuration are text; text that is no JSON is left for the schema to refuse. */
export function fromJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
