/**
 * Certificates in time, as plain data: who signed them, how long they live, when they are renewed, who shows and who believes them. Durations and instants are hours;
 * an instant counts from when the certificate was made, or from the update that changes something.
 */

export const HOURS_PER_DAY = 24;

/** A certificate that `pulumi up` makes, or an issuer in the cluster, and makes anew in the last part of its life. */
export interface Certificate {
  /** Unique in a timeline: its resource's name. */
  readonly name: string;
  readonly role: Role;
  /** What it says: the common name of an authority, the identity of a leaf. */
  readonly subject: string;
  readonly zone: string;
  readonly lifeHours: number;
  /** So long before its end it is made anew. */
  readonly earlyHours: number;
  /** By what: an update, which makes what is signed by it anew as well; or the issuer of its zone, which looks at it all the time. */
  readonly madeBy: "update" | "issuer";
  /** Name of the certificate whose key signed it; undefined for a root. Where that is made anew, so is this, in the same update. */
  readonly signer: string | undefined;
}

export type Role = "root" | "issuing" | "leaf";

/** One end of edges, with what it shows and what it believes. */
export interface Party {
  /** `Ops/admin-ui`. */
  readonly name: string;
  /** Its leaf; undefined for one that shows none. */
  readonly shows: string | undefined;
  /** Roots that it believes. */
  readonly roots: ReadonlySet<string>;
  /** Issuing authorities whose revocation list it has: it refuses what others signed. Undefined: it asks for none. */
  readonly lists: ReadonlySet<string> | undefined;
}

/** Two parties that speak by mutual TLS: names of parties. */
export interface Edge {
  readonly from: string;
  readonly to: string;
}

/** What a plan says of certificates. */
export interface Timeline {
  readonly certificates: ReadonlyMap<string, Certificate>;
  readonly parties: ReadonlyMap<string, Party>;
  readonly edges: readonly Edge[];
}

/** What nothing in a plan can say. */
export interface Assumptions {
  /** Longest time between two updates. */
  readonly updateHours: number;
  /** Longest time that an issuer takes until what is due is made anew. */
  readonly issuerHours: number;
  /** Longest time from an update until every process has what it changed. */
  readonly distributionHours: number;
}

/** An instant at which the two ends of an edge may share no trust. */
export interface Instant {
  /** `expiry`: a certificate may end before its successor is there. `trust`: one end never believes the other. `step`: it doesn't while an update is spread. */
  readonly kind: "expiry" | "trust" | "step";
  /** The first such instant, in hours. */
  readonly fromHours: number;
  /** The end of it; infinite where nothing ends it. */
  readonly untilHours: number;
  /** Whom it parts: verifier and who is not believed. At least one. */
  readonly pairs: readonly Parted[];
  /** What is wrong, without who and when. */
  readonly cause: string;
  readonly mend: string;
}

export interface Parted {
  readonly verifier: string;
  readonly shown: string;
}

/** The certificates of a chain, a leaf first. @throws RangeError where one of them is missing from the timeline */
export function chainOf(timeline: Pick<Timeline, "certificates">, leaf: string): readonly Certificate[] {
  const chain: Certificate[] = [];
  for (let name: string | undefined = leaf; name !== undefined;) {
    const certificate: Certificate | undefined = timeline.certificates.get(name);
    if (certificate === undefined) throw new RangeError(`the timeline has no certificate '${name}'`);
    chain.push(certificate);
    name = certificate.signer;
  }
  return chain;
}

/** Both ways of each edge: who verifies, and who is verified. A party that shows nothing is verified by nobody. */
export function* verifications({ edges, parties }: Timeline): Generator<readonly [verifier: Party, shown: Party]> {
  for (const { from, to } of edges) {
    const [caller, callee] = [parties.get(from), parties.get(to)];
    if (caller === undefined || callee === undefined) continue;
    if (callee.shows !== undefined) yield [caller, callee];
    if (caller.shows !== undefined && caller !== callee) yield [callee, caller];
  }
}
