import type { Command } from "commander";
import { readFileSync, writeFileSync } from "node:fs";
import type { Plain } from "../../policies/judgement/plain";
import { ManifestError, meshObjects, partyOf, readManifests } from "../../policies/reachability";
import type { Evidence, Provenance } from "../../policies/reachability";
import { evidenceOf, evidenceViolations } from "../../proof/prove";
import { readPlan } from "../../proof/plan";
import { readProject, readStack, stackOf } from "../project";
import type { Project } from "../project";
import { rehearsedAs } from "../rehearsed";
import { CliError, STATUS } from "../status";
import type { ReachabilityOptions } from "./command";
import { reportHtml } from "./html/page";
import { reportMarkdown } from "./markdown";
import { matrixOf } from "./matrix";
import { changesFrom, reportData } from "./report";
import type { Opened, Report } from "./report";
import { sidecarMatrixOf } from "./sidecars";
import { reportText } from "./text";

/** `reachability`. @returns the exit status */
export async function runReachability(options: ReachabilityOptions, command: Command): Promise<number> {
  const now = new Date().toISOString();
  const project = readProject(command, now);
  const { objects: file, against } = options;
  const { problems, ...given } = file === undefined ? await planned(project) : read(file);
  const evidence = evidenceOf(project.settings, given.objects, given.provenance);
  const opened = openedBy(evidence);
  const { matrix, sidecars } = opened;
  const before = against === undefined ? undefined : await openedByDocument(readStack(stackOf(command), now, against));
  const report: Report = {
    source: file === "-" ? "standard input" : (file ?? project.settings.document),
    matrix,
    sidecars,
    violations: [...problems, ...evidenceViolations(project.mesh, project.settings, evidence)],
    ...(against === undefined || before === undefined || !isComplete(opened)
      ? {}
      : { changes: changesFrom(against, before, opened) }),
  };
  if (options.html !== undefined) writePage(options.html, report);
  console.log(written(report, options));
  return report.violations.length === 0 ? STATUS.done : STATUS.refused;
}

function written(report: Report, { json, markdown }: ReachabilityOptions): string {
  if (json === true) return JSON.stringify(reportData(report), undefined, 2);
  return markdown === true ? reportMarkdown(report) : reportText(report);
}

/** @throws CliError where the file can't be written */
function writePage(file: string, report: Report): void {
  try {
    writeFileSync(file, reportHtml(report));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`--html ${file}: it can't be written (${reason}); name a file in a folder that is there`);
  }
}

interface Objects {
  readonly objects: readonly Plain[];
  readonly problems: readonly string[];
  readonly provenance?: Provenance;
}

/** The objects that a document renders. */
async function planned(project: Project): Promise<Objects> {
  return readPlan(project.mesh, await rehearsedAs(project));
}

/** @throws CliError where what it renders can't be judged: then nothing can be said of what changed */
async function openedByDocument(project: Project): Promise<Opened> {
  const { objects, problems, provenance } = await planned(project);
  const opened = openedBy(evidenceOf(project.settings, objects, provenance));
  if (isComplete(opened) && problems.length === 0) return opened;
  const { document } = project.settings;
  throw new CliError(
    `--against ${document}: what it renders can't be judged; ask \`reachability\` of it alone for why`,
  );
}

/** The objects of a file, or of the standard input. */
function read(file: string): Objects {
  try {
    return { objects: meshObjects(readManifests(readFileSync(file === "-" ? 0 : file, "utf8"))), problems: [] };
  } catch (error) {
    if (error instanceof ManifestError) throw new CliError(`--objects ${file}: ${error.message}`);
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`--objects ${file}: it can't be read (${reason}); name a file, or '-'`);
  }
}

/** What the objects open at each layer; undefined where that can't be judged. */
function openedBy({ connections, calls }: Evidence): Pick<Report, "matrix" | "sidecars"> {
  return {
    matrix: connections === undefined ? undefined : matrixOf(connections, partyOf),
    sidecars: calls === undefined ? undefined : sidecarMatrixOf(calls),
  };
}

function isComplete(opened: Pick<Report, "matrix" | "sidecars">): opened is Opened {
  return opened.matrix !== undefined && opened.sidecars !== undefined;
}
