import type { Command } from "commander";
import { readFileSync, writeFileSync } from "node:fs";
import type { Plain } from "../../policies/judgement/plain";
import { ManifestError, meshObjects, partyOf, readManifests } from "../../policies/reachability";
import type { Credentials, Evidence, Provenance } from "../../policies/reachability";
import { evidenceOf, evidenceViolations } from "../../proof/prove";
import { readReportedAcl } from "../../policies/reachability/registration";
import { registrationDeclarations } from "../../proof/declaration/registration";
import { readPlan } from "../../proof/plan";
import { readProject, readStack, stackOf } from "../project";
import type { Project } from "../project";
import { rehearsedAs } from "../rehearsed";
import { CliError, STATUS } from "../exit-status";
import type { ReachabilityOptions } from "./command";
import { reportHtml } from "./html/page";
import { reportMarkdown } from "./markdown";
import { matrixOf } from "./matrix";
import { registrationMatrixOf } from "./registration";
import { changesFrom, reportData } from "./report";
import type { Opened, Report } from "./report";
import { sidecarMatrixOf } from "./sidecars";
import { reportText } from "./text";

/** `reachability`. @returns the exit status */
export async function runReachability(options: ReachabilityOptions, command: Command): Promise<number> {
  const now = new Date().toISOString();
  const project = readProject(command, now);
  const { objects: file, against } = options;
  const { problems, objects, ...known } = file === undefined ? await planned(project) : read(file, options.acl);
  const evidence = evidenceOf(project.settings, objects, known);
  const opened = openedBy(evidence, project);
  const { matrix, sidecars, registration } = opened;
  const before = against === undefined ? undefined : await openedByDocument(readStack(stackOf(command), now, against));
  const report: Report = {
    source: file === "-" ? "standard input" : (file ?? project.settings.document),
    matrix,
    sidecars,
    registration,
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
  readonly credentials?: Credentials;
}

/** The objects that a document renders. */
async function planned(project: Project): Promise<Objects> {
  return readPlan(project.mesh, await rehearsedAs(project));
}

/** @throws CliError where what it renders can't be judged: then nothing can be said of what changed */
async function openedByDocument(project: Project): Promise<Opened> {
  const { objects, problems, ...known } = await planned(project);
  const opened = openedBy(evidenceOf(project.settings, objects, known), project);
  if (isComplete(opened) && problems.length === 0) return opened;
  const { document } = project.settings;
  throw new CliError(
    `--against ${document}: what it renders can't be judged; ask \`reachability\` of it alone for why`,
  );
}

/** The objects of a file, or of the standard input. @param acl file with Consul's ACL objects */
function read(file: string, acl: string | undefined): Objects {
  const objects = reading("--objects", file, () =>
    meshObjects(readManifests(readFileSync(file === "-" ? 0 : file, "utf8"))),
  );
  if (acl === undefined) return { objects, problems: [] };
  const [reported = null] = reading("--acl", acl, () => readManifests(readFileSync(acl, "utf8")));
  return { objects, problems: [], credentials: { acl: readReportedAcl(reported) } };
}

function reading<T>(option: string, file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ManifestError) throw new CliError(`${option} ${file}: ${error.message}`);
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(
      `${option} ${file}: it can't be read (${reason}); name a file${option === "--objects" ? ", or '-'" : ""}`,
    );
  }
}

/** What the objects open at each layer; undefined where that can't be judged. */
function openedBy(
  { connections, calls, directoriesReading: { directories = [] } }: Evidence,
  { mesh, settings }: Project,
): Pick<Report, "matrix" | "registration" | "sidecars"> {
  return {
    matrix: connections === undefined ? undefined : matrixOf(connections, partyOf),
    sidecars: calls === undefined ? undefined : sidecarMatrixOf(calls),
    registration:
      directories.length === 0
        ? undefined
        : registrationMatrixOf(directories, registrationDeclarations(mesh, settings)),
  };
}

function isComplete(opened: Pick<Report, "matrix" | "registration" | "sidecars">): opened is Opened {
  return opened.matrix !== undefined && opened.sidecars !== undefined;
}
