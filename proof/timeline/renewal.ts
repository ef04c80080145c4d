/** When a certificate is made anew. */
import { HOURS_PER_DAY, chainOf, verifications } from "./model";
import type { Assumptions, Certificate, Instant, Parted, Role, Timeline } from "./model";

/** A certificate's renewal, in hours after it was made. */
export interface Renewal {
  readonly certificate: Certificate;
  /** From then on it is made anew: in its own window, or by an update because its signer is due. */
  readonly due: number;
  /** By then it is: updates are as rare as assumed, and one came just before it was due. */
  readonly replaced: number;
  /** By then every process has the new one, and nobody shows or needs this one any more. */
  readonly gone: number;
}

/** The renewal of a certificate. Its signer was made with it at the latest: whatever signer is made anew, signs anew. */
export function renewalOf(timeline: Timeline, name: string, assumptions: Assumptions): Renewal {
  const chain = chainOf(timeline, name);
  const [certificate] = chain as [Certificate];
  // An issuer signs anew by itself what its authority's successor is to sign.
  const renewed = certificate.madeBy === "issuer" ? [certificate] : chain;
  const due = Math.min(...renewed.map(({ lifeHours, earlyHours }) => Math.max(0, lifeHours - earlyHours)));
  const { updateHours, issuerHours, distributionHours } = assumptions;
  const replaced = due + (certificate.madeBy === "issuer" ? issuerHours : updateHours);
  // What an issuer signed brings its authority along until it signs anew.
  const followed = isIssuersAuthority(timeline, name) ? issuerHours : 0;
  return { certificate, due, replaced, gone: replaced + followed + distributionHours };
}

function isIssuersAuthority({ certificates }: Timeline, name: string): boolean {
  return [...certificates.values()].some(({ madeBy, signer }) => madeBy === "issuer" && signer === name);
}

/** Certificates that may end while they are still shown, or still what a chain ends at. Those that live and are renewed alike stand together. */
export function expiries(timeline: Timeline, assumptions: Assumptions): readonly Instant[] {
  const late = new Map<string, Late>();
  for (const renewal of [...timeline.certificates.keys()].map((name) => renewalOf(timeline, name, assumptions))) {
    const { certificate, due, gone } = renewal;
    if (gone <= certificate.lifeHours) continue;
    const key = JSON.stringify([certificate.role, certificate.lifeHours, due]);
    const group = late.get(key) ?? { renewal, subjects: [], names: new Set<string>() };
    group.subjects.push(certificate.subject);
    group.names.add(certificate.name);
    late.set(key, group);
  }
  return [...late.values()].flatMap(({ renewal, subjects, names }) => {
    const pairs = [...verifications(timeline)]
      .filter(([, { shows }]) => shows !== undefined && chainOf(timeline, shows).some(({ name }) => names.has(name)))
      .map(([verifier, shown]): Parted => ({ verifier: verifier.name, shown: shown.name }));
    // What nobody shows parts nobody.
    return pairs.length === 0 ? [] : [expiry(renewal, subjects, pairs, assumptions)];
  });
}

/** Certificates that live and are renewed alike, and too late. */
interface Late {
  readonly renewal: Renewal;
  readonly subjects: string[];
  readonly names: Set<string>;
}

function expiry(
  { certificate: { role, subject, lifeHours, madeBy }, due, gone }: Renewal,
  subjects: readonly string[],
  pairs: readonly Parted[],
  { updateHours, issuerHours, distributionHours }: Assumptions,
): Instant {
  const more = subjects.length === 1 ? "" : `, and ${String(subjects.length - 1)} more like it,`;
  const renewed =
    madeBy === "issuer"
      ? `is made anew by its zone's issuer from ${hoursText(due)} on, which takes up to ${hoursText(issuerHours)}`
      : `is made anew by an update from ${hoursText(due)} on, of which there may be none for ${hoursText(updateHours)}`;
  return {
    kind: "expiry",
    fromHours: lifeHours,
    untilHours: gone,
    pairs,
    cause:
      `${ROLES[role]} ${subject}${more} lives ${hoursText(lifeHours)}, ${renewed}, ` +
      `and every process has the new one ${hoursText(distributionHours)} later`,
    mend:
      madeBy === "issuer"
        ? "let it live longer (leafValidityHours)"
        : mendOf(lifeHours - due - distributionHours, role),
  };
}

function mendOf(longest: number, role: Role): string {
  const hours = Math.floor(longest);
  const live = role === "leaf" ? "let it live longer (certValidityDays)" : "let it be renewed earlier";
  if (hours < 1) return live;
  return `run \`pulumi up\` every ${hoursText(hours)} at least and say so (updateIntervalHours: ${String(hours)}), or ${live}`;
}

/** How messages call a certificate. */
export const ROLES: Readonly<Record<Role, string>> = {
  root: "authority",
  issuing: "authority",
  leaf: "certificate",
};

/** `28 days`, `1 day 12 hours`, `15 minutes`. */
export function hoursText(hours: number): string {
  const minutes = Math.round(hours * 60);
  const parts = [
    [Math.floor(minutes / 60 / HOURS_PER_DAY), "day"],
    [Math.floor(minutes / 60) % HOURS_PER_DAY, "hour"],
    [minutes % 60, "minute"],
  ] as const;
  const said = parts.filter(([amount]) => amount > 0);
  return said.length === 0
    ? "0 hours"
    : said.map(([amount, unit]) => `${String(amount)} ${unit}${amount === 1 ? "" : "s"}`).join(" ");
}
