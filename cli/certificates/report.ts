/** What the command found, as text and as plain data. */
import { gapText, hoursText, renewalOf } from "../../proof/timeline";
import type { Assumptions, Certificate, Instant, Renewal, Timeline } from "../../proof/timeline";
import { columns } from "../columns";

export interface CertificateReport {
  /** `mesh.yaml`. */
  readonly source: string;
  /** When the certificates are taken to be made. */
  readonly from: Date;
  readonly timeline: Timeline;
  readonly assumptions: Assumptions;
  /** What can't be read of the plan, one line each. */
  readonly problems: readonly string[];
  readonly gaps: readonly Instant[];
  /** By the update from another configuration to this one. */
  readonly step?: { readonly against: string; readonly gaps: readonly Instant[] };
}

const MS_PER_HOUR = 3_600_000;

/** The report for a terminal. Leaves that live and are renewed alike share a line. */
export function reportText(report: CertificateReport): string {
  const { source, assumptions, timeline, problems, gaps, step } = report;
  const found = [...problems.map((problem) => `certificates: ${problem}`), ...gaps.map(gapText)];
  const edges = String(timeline.edges.length);
  const isIssued = [...timeline.certificates.values()].some(({ madeBy }) => madeBy === "issuer");
  const issuing = isIssued ? `${hoursText(assumptions.issuerHours)} until an issuer has made what is due, ` : "";
  const parts = [
    found.length === 0
      ? `${source}: at every instant both ends of each of ${edges} edges trust each other`
      : [`${source}: there are instants at which the ends of an edge share no trust`, ...found.map(indented)].join(
          "\n",
        ),
    `assumed: \`pulumi up\` every ${hoursText(assumptions.updateHours)} at least (updateIntervalHours), ${issuing}and ${hoursText(assumptions.distributionHours)} until every process has what it changed`,
    ...(step === undefined ? [] : [stepText(step)]),
    columns([["", "lives", "made anew from", "to", "everywhere by", "ends"], ...rowsOf(report)]),
  ];
  return parts.join("\n\n");
}

/** The report as plain data: instants in RFC 3339, durations in hours. */
export function reportData(report: CertificateReport) {
  const { source, from, timeline, assumptions, problems, gaps, step } = report;
  return {
    source,
    proven: problems.length + gaps.length + (step?.gaps.length ?? 0) === 0,
    assumptions,
    problems,
    gaps: gaps.map(gapData),
    certificates: renewals(report).map(({ certificate, due, replaced, gone }) => ({
      ...certificate,
      made: from.toISOString(),
      renewedFrom: instant(from, due),
      renewedBy: instant(from, replaced),
      everywhereBy: instant(from, gone),
      ends: instant(from, certificate.lifeHours),
    })),
    edges: timeline.edges,
    ...(step === undefined ? {} : { step: { against: step.against, gaps: step.gaps.map(gapData) } }),
  };
}

function gapData(gap: Instant) {
  const { untilHours, ...rest } = gap;
  // JSON has no infinity: what never ends has no end.
  return { ...rest, ...(Number.isFinite(untilHours) ? { untilHours } : {}), text: gapText(gap) };
}

function stepText({ against, gaps }: NonNullable<CertificateReport["step"]>): string {
  if (gaps.length === 0) return `from ${against}: the update parts nobody`;
  return [`from ${against}: the update parts ends of edges`, ...gaps.map(gapText).map(indented)].join("\n");
}

function renewals({ timeline, assumptions }: CertificateReport): readonly Renewal[] {
  return [...timeline.certificates.keys()].map((name) => renewalOf(timeline, name, assumptions));
}

/** A zone's root, under it its issuing authorities, under each its leaves. */
function rowsOf(report: CertificateReport): readonly (readonly string[])[] {
  const all = renewals(report);
  const below = (signer: string | undefined) => all.filter(({ certificate }) => certificate.signer === signer);
  const dates = ({ certificate: { lifeHours }, due, replaced, gone }: Renewal) => [
    hoursText(lifeHours),
    ...[due, replaced, gone, lifeHours].map((hours) => instant(report.from, hours).slice(0, 16).replace("T", " ")),
  ];
  const rows = (signer: string | undefined, depth: number): (readonly string[])[] => {
    const indent = "  ".repeat(depth);
    const [leaves, authorities] = [below(signer).filter(isLeaf), below(signer).filter((one) => !isLeaf(one))];
    return [
      ...authorities.flatMap((renewal) => [
        [`${indent}${renewal.certificate.subject}`, ...dates(renewal)],
        ...rows(renewal.certificate.name, depth + 1),
      ]),
      ...alike(leaves).map(([first, count]) => [`${indent}${leafText(first.certificate, count)}`, ...dates(first)]),
    ];
  };
  return rows(undefined, 0);
}

function leafText({ subject }: Certificate, count: number): string {
  return count === 1 ? (subject.split("/").at(-1) ?? subject) : `${String(count)} services`;
}

function isLeaf({ certificate }: Renewal): boolean {
  return certificate.role === "leaf";
}

/** One of each kind, and how many there are of it. */
function alike(leaves: readonly Renewal[]): readonly (readonly [Renewal, number])[] {
  const groups = new Map<string, Renewal[]>();
  for (const leaf of leaves) {
    const key = JSON.stringify([leaf.certificate.lifeHours, leaf.due]);
    groups.set(key, [...(groups.get(key) ?? []), leaf]);
  }
  return [...groups.values()].flatMap((group) => (group[0] === undefined ? [] : [[group[0], group.length] as const]));
}

function instant(from: Date, hours: number): string {
  return new Date(from.getTime() + hours * MS_PER_HOUR).toISOString();
}

function indented(text: string): string {
  return `  ${text}`;
}
