/** Whether at every instant both ends of every edge share trust. */
import type { Mesh } from "../../mesh";
import type { StackResource } from "../../policies/judgement/rule";
import { assumptionsOf } from "./assumptions";
import type { DiscoveryChoice } from "../declaration/discovery";
import { tlsEdges } from "./edges";
import type { Assumptions, Instant, Timeline } from "./model";
import { readCertificates } from "./reading";
import { expiries, hoursText } from "./renewal";
import { mistrusts } from "./trust";

/** A plan's timeline, and what of it can't be read: one line each. */
export interface TimelineReading {
  readonly timeline: Timeline;
  readonly problems: readonly string[];
}

/** The timeline of a plan. An edge whose end has nothing to show or believe in the plan is a problem. */
export function readTimeline(
  mesh: Mesh,
  choice: DiscoveryChoice,
  resources: readonly StackResource[],
): TimelineReading {
  const { certificates, parties, problems } = readCertificates(resources);
  const edges = tlsEdges(mesh, choice);
  const absent = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].filter((name) => !parties.has(name));
  return {
    timeline: { certificates, parties, edges },
    problems: [
      ...problems,
      ...absent.map(
        (name) => `${name} has an edge, and no certificate or trust in the plan; declare it with ServiceMesh`,
      ),
    ],
  };
}

/** Instants at which ends of an edge may share no trust, by what a plan gives them. None: there is no such instant, as long as the assumptions hold. */
export function gaps(timeline: Timeline, assumptions: Assumptions): readonly Instant[] {
  return [...mistrusts(timeline), ...expiries(timeline, assumptions)];
}

/** Most pairs that one message names. */
const NAMED = 3;

/** What is wrong with a plan's certificates in time, one line each. */
export function timelineViolations(
  mesh: Mesh,
  settings: Parameters<typeof assumptionsOf>[0] & DiscoveryChoice,
  resources: readonly StackResource[],
): readonly string[] {
  const { timeline, problems } = readTimeline(mesh, settings, resources);
  return [
    ...problems.map((problem) => `certificates: ${problem}`),
    ...gaps(timeline, assumptionsOf(settings)).map(gapText),
  ];
}

/** `certificates: from 90 days after it was made, …, Ops/prometheus does not believe Ops/admin-ui and 3 more: certificate …; <mend>`. */
export function gapText({ kind, fromHours, untilHours, pairs, cause, mend }: Instant): string {
  const names = pairs.slice(0, NAMED).map(({ verifier, shown }) => `${verifier} does not believe ${shown}`);
  const more = pairs.length > NAMED ? ` and ${String(pairs.length - NAMED)} more` : "";
  const when = {
    expiry: `from ${hoursText(fromHours)} after it was made, until ${hoursText(untilHours)} after`,
    trust: "at every instant",
    step: `from this update on, for up to ${hoursText(untilHours - fromHours)}`,
  }[kind];
  return `certificates: ${when}, ${names.join(", ")}${more}: ${cause}; ${mend}`;
}
