/** What an alerting rule is, and the words of PromQL that several of them share. */
import { SCRAPE_JOBS, WELL_KNOWN, type Mesh } from "../../../mesh";

/** `critical`: somebody is to look now, whatever the hour. `warning`: on the next working day. */
export type Severity = "critical" | "warning";

export interface AlertRule {
  /** Unique; the heading of its runbook, and what its page is found by. */
  readonly name: string;
  readonly severity: Severity;
  /** PromQL. Its answer is not empty while something is wrong, one series for each thing that is; their labels are the alert's. */
  readonly expression: string;
  /** How long the expression must hold, as Prometheus writes times. Default: the alert fires at the evaluation at which it does. */
  readonly for?: string;
  /** One sentence; may name the alert's labels, by Prometheus's templates. */
  readonly summary: string;
}

/** Rules that are about one matter. They are evaluated one after the other, and explained on one page. */
export interface AlertGroup {
  /** Name of the group, and of its page in `docs/runbooks/`. */
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

/**
 * Selects a metric of the application of one service, as that service's own targets tell it: nobody else's, whatever it calls its metrics.
 *
 * @param name a service that tells metrics; undefined where there is none of that name
 */
export function ownMetrics(mesh: Mesh, name: string): ((metric: string, matchers?: string) => string) | undefined {
  const service = mesh.services.find((one) => one.name === name);
  if (service?.metrics === undefined || service.revoked !== undefined) return undefined;
  const own = `job="${SCRAPE_JOBS.applications}-${service.zone}", service="${name}"`;
  return (metric, matchers) => `${metric}{${own}${matchers === undefined ? "" : `, ${matchers}`}}`;
}

/** The metrics of the mesh controller; undefined where it tells none. */
export function controllerMetrics(mesh: Mesh): ReturnType<typeof ownMetrics> {
  return ownMetrics(mesh, WELL_KNOWN.controller);
}

/** What is told of a zone or service other than the one that tells it: Prometheus renames such labels, and here they get their names back. */
export function told(selector: string): string {
  const named = (inner: string, label: string) =>
    `label_replace(${inner}, "${label}", "$1", "exported_${label}", "(.+)")`;
  return named(named(selector, "zone"), "service");
}
