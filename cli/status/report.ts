/** The overview as text for people. */
import { WELL_KNOWN } from "../../mesh/wire";
import type { AlertsOverview, GraphEdge, Overview, ServiceOverview, TrafficState } from "../../mesh/overview/model";
import { columns } from "../columns";

const NOTHING = "-";
/** Control characters and what turns the direction of text: a terminal would do as they say. */
const UNSHOWN = /[\p{Cc}\p{Bidi_Control}]/gu;

export function overviewText(overview: Overview): string {
  const { mesh, zones, services, violations, time } = overview;
  const { well, unknown, degraded, failing } = mesh.services;
  const findings = [
    ...mesh.findings.map((finding) => ({ of: "mesh", ...finding })),
    ...zones.flatMap(({ name, findings: own }) => own.map((finding) => ({ of: name, ...finding }))),
    ...services.flatMap(({ name, findings: own }) => own.map((finding) => ({ of: name, ...finding }))),
  ].filter(({ state }) => state !== "well");
  const calls = overview.edges.filter(({ kind }) => kind === "call" || kind === "undeclared");
  const paragraphs = [
    [`The mesh is ${mesh.state}: ${well} of ${well + unknown + degraded + failing} services are well (${time}).`],
    table(
      ["ZONE", "STATE", "WELL", "UNKNOWN", "DEGRADED", "FAILING"],
      zones.map((zone) => [
        zone.name,
        zone.state,
        ...[zone.services.well, zone.services.unknown, zone.services.degraded, zone.services.failing].map(String),
      ]),
    ),
    table(["SERVICE", "ZONE", "STATE", "READY", "REGISTERED", "CERTIFICATE", "DRIFT"], services.map(serviceRow)),
    calls.length === 0
      ? []
      : table(["CALL", "PORT", "STATE", "REQUESTS/S", "FAIL/S", "P50 MS", "P99 MS"], calls.map(callRow)),
    [trafficText(overview.traffic)],
    alertLines(overview.alerts),
    findings.length === 0
      ? []
      : ["Not well:", ...findings.map(({ of, state, message }) => `- ${of}: ${state}: ${message}`)],
    violations.total === 0
      ? []
      : [
          `Violations (${violations.total}):`,
          ...violations.first.map(({ message }) => `- ${message}`),
          ...(violations.total > violations.first.length
            ? [`- and ${violations.total - violations.first.length} more`]
            : []),
        ],
    overview.drift.isCompared ? [] : ["Drift: nobody compares what runs with what was declared; `mesh check` does."],
  ];
  return paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map(shown).join("\n"))
    .join("\n\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return columns([head, ...rows.map((row) => row.map(shown))]).split("\n");
}

function serviceRow({ name, zone, state, instances, certificate, drift }: ServiceOverview): readonly string[] {
  return [
    name,
    zone,
    state,
    `${instances.ready}/${instances.declared ?? "any"}`,
    String(instances.registered),
    certificate === null ? NOTHING : certificateText(certificate.secondsLeft),
    drift,
  ];
}

function certificateText(secondsLeft: number): string {
  if (secondsLeft <= 0) return "ended";
  const hours = Math.floor(secondsLeft / 3600);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

function callRow({ from, to, port, kind, state, observed }: GraphEdge): readonly string[] {
  const name = `${from} -> ${to}${kind === "undeclared" ? " (undeclared)" : ""}`;
  const time = (milliseconds: number | null) => (milliseconds === null ? NOTHING : milliseconds.toPrecision(3));
  if (observed === null) return [name, port, state, NOTHING, NOTHING, NOTHING, NOTHING];
  const { requestsPerSecond, failuresPerSecond, p50, p99 } = observed;
  return [name, port, state, requestsPerSecond.toFixed(2), failuresPerSecond.toFixed(2), time(p50), time(p99)];
}

function trafficText({ state, asOf, window }: TrafficState): string {
  switch (state) {
    case "off":
      return `What goes over the calls is not known: the controller may not ask ${WELL_KNOWN.prometheus}.`;
    case "never":
      return "What goes over the calls is not known: Prometheus has given no answer yet.";
    case "stale":
      return `What goes over the calls is not known: Prometheus gives no answer since ${asOf ?? "long"}.`;
    case "fresh":
      return `Rates and times of calls are those of the ${window / 60} minutes before ${asOf ?? "now"}.`;
  }
}

/** What fires, or that nobody knows. */
function alertLines({ state, asOf, error, rules, broken, pending, total, firing }: AlertsOverview): readonly string[] {
  switch (state) {
    case "off":
      return [`Whether an alert fires is not known: the controller may not ask ${WELL_KNOWN.prometheus}.`];
    case "never":
      return [
        `Whether an alert fires is not known: Prometheus has not told${error === null ? " yet" : ` (${error})`}.`,
      ];
    case "stale":
      return [`Whether an alert fires is not known: Prometheus does not tell since ${asOf ?? "long"}.`];
    case "fresh":
      break;
  }
  return [
    total === 0
      ? rules === 0
        ? "Alerts: Prometheus has no rules."
        : `Alerts: none of ${String(rules)} rules fires${pending === 0 ? "" : `; ${String(pending)} may soon`}.`
      : `Alerts (${String(total)}):`,
    ...firing.map(
      ({ severity, name, since, summary, runbook }) => `- ${severity}: ${name} since ${since}: ${summary} (${runbook})`,
    ),
    ...(total > firing.length ? [`- and ${String(total - firing.length)} more`] : []),
    ...broken.map(({ name, error: why }) => `- ${name} can't be evaluated: ${why}`),
  ];
}

function shown(text: string): string {
  return text.replace(UNSHOWN, "\uFFFD");
}
