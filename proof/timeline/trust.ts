/** Whether the ends of an edge believe each other: as things are, and while an update is spread. */
import { chainOf, verifications } from "./model";
import type { Assumptions, Certificate, Instant, Parted, Party, Timeline } from "./model";

/** Subjects of authorities that an update gives up at once, calls or no calls: their key is not the zone's alone any more. */
export type GivenUp = (subject: string) => boolean;

/** Edges whose ends don't believe each other, by what the plan gives them. */
export function mistrusts(timeline: Timeline): readonly Instant[] {
  const parted = new Groups();
  for (const [verifier, shown] of verifications(timeline)) {
    const missing = missingAt(verifier, shown, timeline);
    if (missing !== undefined) parted.add(missing, { verifier: verifier.name, shown: shown.name });
  }
  return parted.list(({ what, certificate }, pairs) => ({
    kind: "trust",
    fromHours: 0,
    untilHours: Infinity,
    pairs,
    cause: `${what}${certificate.subject}, by which the other is vouched for, is not among what it is given`,
    mend: "give it what Sidecar gives: the roots of its peers' zones, and a revocation list of each of their issuing authorities",
  }));
}

/**
 * Edges whose ends may not believe each other while an update is spread: each process has its new files at an instant of its own, so that one end may still have, or show,
 * what was before, while the other has what comes.
 */
export function stepGaps(
  before: Timeline,
  after: Timeline,
  { distributionHours }: Assumptions,
  givenUp: GivenUp = () => false,
): readonly Instant[] {
  const parted = new Groups();
  const spokeBefore = new Set([...verifications(before)].map(([verifier, shown]) => keyOf(verifier, shown)));
  for (const [verifier, shown] of verifications(after)) {
    const [oldVerifier, oldShown] = [before.parties.get(verifier.name), before.parties.get(shown.name)];
    // An edge that this update opens has no call to lose.
    if (oldVerifier === undefined || oldShown === undefined || !spokeBefore.has(keyOf(verifier, shown))) continue;
    const pair = { verifier: verifier.name, shown: shown.name };
    const dropped = missingAt(verifier, oldShown, before);
    if (dropped !== undefined && !givenUp(dropped.certificate.subject)) parted.add({ ...dropped, dropped: true }, pair);
    const early = missingAt(oldVerifier, shown, after);
    if (early !== undefined && !givenUpBy(oldShown, before, givenUp)) parted.add(early, pair);
  }
  return parted.list(({ what, certificate, dropped }, pairs) => ({
    kind: "step",
    fromHours: 0,
    untilHours: distributionHours,
    pairs,
    cause:
      dropped === true
        ? `${what}${certificate.subject} is taken away while the other may still show what it vouches for`
        : `the other may show what ${what}${certificate.subject} vouches for before it has that`,
    mend:
      dropped === true
        ? "keep it for this update, and take it away by the next, when every process has the new certificates (docs/certificates.md, the steps)"
        : "have it trusted by an update of its own, and issue by it with the next, when every process has it (docs/certificates.md, the steps)",
  }));
}

/** What a verifier lacks to believe a party. */
interface Missing {
  /** Goes before the authority's name: empty for the authority itself. */
  readonly what: string;
  readonly certificate: Certificate;
  readonly dropped?: true;
}

function missingAt({ roots, lists }: Party, { shows }: Party, timeline: Timeline): Missing | undefined {
  if (shows === undefined) return undefined;
  const [, ...authorities] = chainOf(timeline, shows);
  const root = authorities.at(-1);
  if (root !== undefined && !roots.has(root.name)) return { what: "", certificate: root };
  const unlisted = authorities.find(({ name, role }) => role === "issuing" && lists !== undefined && !lists.has(name));
  return unlisted === undefined ? undefined : { what: "the revocation list of ", certificate: unlisted };
}

function givenUpBy({ shows }: Party, timeline: Timeline, givenUp: GivenUp): boolean {
  return shows !== undefined && chainOf(timeline, shows).some(({ subject }) => givenUp(subject));
}

function keyOf(verifier: Party, shown: Party): string {
  return JSON.stringify([verifier.name, shown.name]);
}

/** Pairs by what parts them. */
class Groups {
  private readonly groups = new Map<string, { missing: Missing; pairs: Parted[] }>();

  add(missing: Missing, pair: Parted): void {
    const key = JSON.stringify([missing.what, missing.certificate.name, missing.dropped]);
    const group = this.groups.get(key);
    if (group === undefined) this.groups.set(key, { missing, pairs: [pair] });
    else group.pairs.push(pair);
  }

  list(instantOf: (missing: Missing, pairs: readonly Parted[]) => Instant): readonly Instant[] {
    return [...this.groups.values()].map(({ missing, pairs }) => instantOf(missing, pairs));
  }
}
