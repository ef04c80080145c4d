import type { Command } from "commander";
import { assumptionsOf, gaps, readTimeline, stepGaps } from "../../proof/timeline";
import type { Timeline } from "../../proof/timeline";
import { readProject, readStack, stackOf } from "../project";
import type { Project } from "../project";
import { rehearsedAs } from "../rehearsed";
import { CliError, STATUS } from "../exit-status";
import type { CertificatesOptions } from "./command";
import { givenUpBy } from "./given-up";
import { reportData, reportText } from "./report";
import type { CertificateReport } from "./report";

/** `certificates`. @returns the exit status */
export async function runCertificates(options: CertificatesOptions, command: Command): Promise<number> {
  const from = instantOf(options.from);
  const now = new Date().toISOString();
  const project = readProject(command, now);
  const { timeline, problems } = readTimeline(project.mesh, project.settings, await rehearsedAs(project));
  const assumptions = assumptionsOf(project.settings);
  const { against } = options;
  const before =
    against === undefined
      ? undefined
      : await timelineOf(readStack(stackOf(command), now, project.settings.document, against), against);
  const report: CertificateReport = {
    source: project.settings.document,
    from,
    timeline,
    assumptions,
    problems,
    gaps: gaps(timeline, assumptions),
    ...(against === undefined || before === undefined
      ? {}
      : { step: { against, gaps: stepGaps(before, timeline, assumptions, givenUpBy(project.settings)) } }),
  };
  console.log(options.json === true ? JSON.stringify(reportData(report), undefined, 2) : reportText(report));
  const found = [...report.problems, ...report.gaps, ...(report.step?.gaps ?? [])];
  return found.length === 0 ? STATUS.done : STATUS.refused;
}

/** @throws CliError where nothing can be said of the update from there */
async function timelineOf(project: Project, file: string): Promise<Timeline> {
  const { timeline, problems } = readTimeline(project.mesh, project.settings, await rehearsedAs(project));
  const [problem] = problems;
  if (problem !== undefined) throw new CliError(`--against ${file}: ${problem}`);
  return timeline;
}

/** @throws CliError */
function instantOf(text: string | undefined): Date {
  const instant = text === undefined ? new Date() : new Date(text);
  if (Number.isNaN(instant.getTime()))
    throw new CliError(`--from ${text ?? ""}: it is no instant; write it like 2026-12-31 or 2026-12-31T18:00:00Z`);
  return instant;
}
