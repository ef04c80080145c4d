/** The same questions, answered by walking through time. Nothing of the room's own arithmetic is used. */
import type { Assumptions, Certificate, Party, Timeline } from "../../../../proof/timeline";

const TICK = 0.5;

/** A certificate as it was made at an instant. */
interface Made {
  readonly certificate: Certificate;
  readonly at: number;
}

/**
 * The first instant, over all times that a first update may come and updates as rare as assumed from then on, at which an end of an edge may be shown a chain of which a part has
 * ended; undefined where there is none.
 */
export function firstExpiry(timeline: Timeline, assumptions: Assumptions): number | undefined {
  const longest = Math.max(...[...timeline.certificates.values()].map(({ lifeHours }) => lifeHours));
  const horizon = longest + 2 * (assumptions.updateHours + assumptions.distributionHours);
  const found: number[] = [];
  for (let first = TICK; first <= assumptions.updateHours; first += TICK) {
    const instant = walk(timeline, assumptions, first, horizon);
    if (instant !== undefined) found.push(instant);
  }
  return found.length === 0 ? undefined : Math.min(...found);
}

function walk(
  { certificates, parties, edges }: Timeline,
  { updateHours, issuerHours, distributionHours }: Assumptions,
  first: number,
  horizon: number,
): number | undefined {
  /** All that was made, newest last, by name. */
  const made = new Map([...certificates].map(([name, certificate]) => [name, [{ certificate, at: 0 }] as Made[]]));
  const newest = (name: string): Made | undefined => made.get(name)?.at(-1);
  const update = (now: number) => {
    for (const role of ["root", "issuing", "leaf"] as const) {
      for (const certificate of certificates.values()) {
        if (certificate.role !== role) continue;
        const { name, lifeHours, earlyHours, madeBy, signer } = certificate;
        if (madeBy === "issuer") continue;
        const isDue = lifeHours - (now - (newest(name)?.at ?? 0)) <= earlyHours;
        const isSignedAnew = signer !== undefined && newest(signer)?.at === now;
        if (isDue || isSignedAnew) made.get(name)?.push({ certificate, at: now });
      }
    }
  };
  /** As late as they may, whatever is signed by. */
  const issue = (now: number) => {
    for (const certificate of certificates.values()) {
      const { name, lifeHours, earlyHours, madeBy } = certificate;
      if (madeBy === "issuer" && now - (newest(name)?.at ?? 0) >= Math.max(0, lifeHours - earlyHours) + issuerHours)
        made.get(name)?.push({ certificate, at: now });
    }
  };
  const signsForIssuers = (name: string) =>
    [...certificates.values()].some(({ madeBy, signer }) => madeBy === "issuer" && signer === name);
  /** What a process may have by now of one file: the newest, and while that is spread what was before it. */
  const possible = (name: string, now: number): Made[] => {
    const all = made.get(name) ?? [];
    return all.filter((_, index) => {
      const next = all[index + 1];
      // What an issuer has signed holds its authority's certificate as well, until it is signed anew.
      const spread = distributionHours + (signsForIssuers(name) ? issuerHours : 0);
      return next === undefined || now <= next.at + spread;
    });
  };
  const hasEnded = ({ certificate, at }: Made, now: number) => now > at + certificate.lifeHours;
  const shown = new Set<string>();
  for (const end of edges.flatMap(({ from, to }) => [from, to])) {
    for (let name = parties.get(end)?.shows; name !== undefined; name = certificates.get(name)?.signer) shown.add(name);
  }
  for (let now = 0; now <= horizon; now += TICK) {
    if (now >= first && (now - first) % updateHours === 0) update(now);
    issue(now);
    for (const name of shown) if (possible(name, now).some((one) => hasEnded(one, now))) return now;
  }
  return undefined;
}

/** Ends that may be parted while an update is spread, as `verifier < shown`, over all instants at which each file of each end may arrive. */
export function partedByStep(before: Timeline, after: Timeline, { distributionHours }: Assumptions): Set<string> {
  const parted = new Set<string>();
  const both = [
    [0, before],
    [1, after],
  ] as const;
  const ways = after.edges.flatMap(({ from, to }) => [[from, to] as const, [to, from] as const]);
  for (const [verifier, shown] of ways) {
    for (let trustArrives = 0; trustArrives <= distributionHours; trustArrives += TICK) {
      for (let leafArrives = 0; leafArrives <= distributionHours; leafArrives += TICK) {
        for (let now = 0; now <= distributionHours; now += TICK) {
          const [, trusting] = both[now >= trustArrives ? 1 : 0];
          const [, showing] = both[now >= leafArrives ? 1 : 0];
          const [believer, believed] = [trusting.parties.get(verifier), showing.parties.get(shown)];
          if (believer && believed && !believes(believer, believed, showing)) parted.add(`${verifier} < ${shown}`);
        }
      }
    }
  }
  return parted;
}

function believes({ roots, lists }: Party, { shows }: Party, { certificates }: Timeline): boolean {
  const leaf = certificates.get(shows ?? "");
  const issuer = certificates.get(leaf?.signer ?? "");
  return roots.has(issuer?.signer ?? "") && lists?.has(issuer?.name ?? "") !== false;
}
