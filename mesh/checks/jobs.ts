/** Jobs: nobody calls what ends by itself, so what callers would need says nothing on one; and it runs once or by a schedule. */
import { draftServices, type Draft, type DraftService } from "../document/draft";
import { show, type Path, type Report } from "../document/problems";
import { COMPONENTS } from "./names";

const NOT_CALLED = "a job runs to its end and nobody calls it";

/** Keys of services that run all the time, with what each would mean on a job. */
const SERVICE_KEYS: Readonly<
  Record<
    "replicas" | "versions" | "routes" | "ports" | "health" | "metrics" | "traffic" | "askAuthentication",
    readonly [message: string, mend: string]
  >
> = {
  replicas: ["a job has no pods that are kept running", "say 'workload.completions' and 'workload.parallelism'"],
  versions: [`${NOT_CALLED}, so it has no versions to share calls`, "say 'image' and 'version' instead"],
  routes: [`${NOT_CALLED}, so it has no requests to be routed`, "take it out"],
  ports: [`${NOT_CALLED}, so it has no port`, "take them out, or 'workload' if it is to serve"],
  health: [`${NOT_CALLED}, so nobody asks whether it is ready`, "take it out; its exit status tells how it went"],
  metrics: ["a job runs to its end and is not registered, so nobody scrapes it", "take it out"],
  traffic: [`${NOT_CALLED}, so there is no traffic to it`, "take it out; each of its calls may have its own 'traffic'"],
  askAuthentication: [`${NOT_CALLED}, so there are no callers to ask about`, "take it out"],
};

const SCHEDULE_KEYS = ["schedule", "timeZone", "concurrencyPolicy"] as const;

/** Whether a service is declared as a job, rightly or not. */
export function isDraftJob(service: DraftService): boolean {
  return service.workload !== undefined && service.external === undefined;
}

/** What each job says. That nobody calls one is checked where the call stands. */
export function checkJobs(draft: Draft, report: Report): void {
  for (const { service, path } of draftServices(draft)) {
    if (service.workload === undefined || !isDraftJob(service) || COMPONENTS.has(service.name ?? "")) continue;
    for (const key of Object.keys(SERVICE_KEYS) as (keyof typeof SERVICE_KEYS)[]) {
      const value = service[key];
      if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
      report([...path, key], ...SERVICE_KEYS[key]);
    }
    checkTimes(service.workload, [...path, "workload"], report);
  }
  const asked = draft.services?.find(({ name }) => name !== undefined && name === draft.authentication?.service);
  if (asked !== undefined && isDraftJob(asked)) {
    report(["authentication", "service"], `${show(asked.name)} is a job, which answers nobody`, "name another service");
  }
}

function checkTimes(workload: NonNullable<DraftService["workload"]>, path: Path, report: Report): void {
  const { kind, completions = 1, parallelism = 1 } = workload;
  if (kind === "cronjob" && !Object.hasOwn(workload, "schedule")) {
    report([...path, "schedule"], "nothing says when the cronjob runs", "write it, as '30 2 * * 1-5' or '@daily'");
  }
  for (const key of kind === "job" ? SCHEDULE_KEYS : []) {
    if (workload[key] === undefined) continue;
    report([...path, key], `a job runs once, so '${key}' says nothing`, "write 'kind: cronjob', or take it out");
  }
  // A number of pods that can't be is told by the schema.
  if (completions >= 1 && parallelism > completions) {
    const message = `${String(parallelism)} pods at once, and ${String(completions)} in all`;
    report([...path, "parallelism"], message, "raise 'completions', or lower 'parallelism'");
  }
}
