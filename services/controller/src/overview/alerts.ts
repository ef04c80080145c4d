/** What Prometheus says of its alerting rules. Pure. */
import { z } from "zod";
import type { Alert } from "../../../../mesh/overview/model.js";

/** What fires, and whether the rules themselves are well. */
export interface Alerts {
  /** Alerting rules that are loaded. */
  readonly rules: number;
  /** Rules that can't be evaluated, with the reason: nobody knows whether they would fire. */
  readonly broken: readonly { readonly name: string; readonly error: string }[];
  /** Alerts whose condition holds, and not long enough yet. */
  readonly pending: number;
  /** The worst first, and of those the oldest. */
  readonly firing: readonly Alert[];
}

const labels = z.record(z.string(), z.string());

/** Of the answer to `GET /api/v1/rules`: what is needed of it. */
const answerSchema = z.object({
  status: z.literal("success"),
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            type: z.string(),
            name: z.string(),
            health: z.string(),
            lastError: z.string().optional(),
            alerts: z
              .array(z.object({ labels, annotations: labels, state: z.string(), activeAt: z.string() }))
              .default([]),
          }),
        ),
      }),
    ),
  }),
});

/** Characters of one text. */
const LONGEST = 500;
/** Labels that are told as something of their own. */
const OWN_LABELS = new Set(["alertname", "severity"]);

/**
 * Reads what Prometheus says of its rules.
 *
 * @throws ZodError where that is no such answer
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#rules
 */
export function alertsOf(answer: unknown): Alerts {
  const rules = answerSchema
    .parse(answer)
    .data.groups.flatMap((group) => group.rules)
    .filter(({ type }) => type === "alerting");
  const alerts = rules.flatMap(({ name, alerts: all }) => all.map((alert) => ({ name, ...alert })));
  return {
    rules: rules.length,
    broken: rules
      .filter(({ health }) => health === "err")
      .map(({ name, lastError }) => ({ name: short(name), error: short(lastError ?? "it does not say why") })),
    pending: alerts.filter(({ state }) => state === "pending").length,
    firing: alerts
      .filter(({ state }) => state === "firing")
      .map(({ name, labels: all, annotations, activeAt }): Alert => ({
        name: short(name),
        severity: all.severity === "critical" ? "critical" : "warning",
        since: instant(activeAt),
        summary: short(annotations.summary ?? ""),
        runbook: short(annotations.runbook ?? ""),
        labels: Object.fromEntries(
          Object.entries(all).flatMap(([label, value]) => (OWN_LABELS.has(label) ? [] : [[label, short(value)]])),
        ),
      }))
      .sort(byWeight),
  };
}

function byWeight(one: Alert, other: Alert): number {
  const weight = ({ severity }: Alert): number => (severity === "critical" ? 0 : 1);
  return weight(one) - weight(other) || compare(one.since, other.since) || compare(one.name, other.name);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function short(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** An instant in UTC, to the second; Prometheus writes one of its own zone, to the nanosecond. */
function instant(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? short(text) : new Date(time).toISOString();
}
