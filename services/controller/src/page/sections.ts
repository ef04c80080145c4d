/** The page's parts, each a section with a heading of its own. */
import { html, type Markup } from "../../../../html/markup.js";
import { scrolling, section, table, type Row } from "../../../../html/parts.js";
import type {
  EnforcementOverview,
  Finding,
  GraphEdge,
  History,
  Overview,
  State,
} from "../../../../mesh/overview/model.js";
import { placesOf } from "../overview/enforcement.js";
import { EDGE_STATES, graphMarkup } from "./graph.js";
import { counted, milliseconds, perSecond, percent, timeLeft } from "./words.js";

/** Rows of a table that are there at once; the API has all. */
const MOST_ROWS = 1_000;
/** Seconds of a certificate's life at which its bar is full: 90 days, the longest that a leaf lives by default. */
const FULL_BAR = 90 * 86_400;
const BAR = { width: 120, height: 12 };

/** How much of the past is known of `mesh` or a zone. */
export type Past = (name: string) => History | undefined;

/** How the mesh is, in one sentence, and what is not as it should be. */
export function verdict({ mesh, zones, time }: Overview): Markup {
  const { state, services } = mesh;
  const total = services.well + services.unknown + services.degraded + services.failing;
  const findings = [
    ...mesh.findings.filter((one) => one.state !== "well"),
    ...zones.flatMap(({ name, findings: own }) =>
      own.filter((one) => one.state !== "well").map((one) => ({ ...one, message: `${name}: ${one.message}` })),
    ),
  ];
  return html`<div id="verdict" class="verdict ${state}" data-state="${state}">
    <p>
      <strong>The mesh is ${state === "unknown" ? "not known to be well" : state}.</strong>
      ${services.well} of ${counted(total, "service")} ${services.well === 1 ? "is" : "are"} well. As of
      <time datetime="${time}">${clock(time)}</time>.
    </p>
    ${
      findings.length === 0
        ? []
        : html`<ul>
            ${findings.map((one) => html`<li>${badge(one.state)} ${one.message}</li>`)}
          </ul>`
    }
  </div>`;
}

/** What fires; and where that isn't known, that. */
export function alertsSection({ alerts }: Overview): Markup {
  const { state, asOf, error, rules, broken, pending, total, firing } = alerts;
  const unknown = {
    off: "This controller was told of no Prometheus: whether an alert fires is not known.",
    never: `Prometheus has not told of its alerts${error === null ? " yet" : ` (${error})`}: whether one fires is not known.`,
    stale: `Prometheus does not tell of its alerts since ${asOf === null ? "long" : clock(asOf)}: whether one fires now is not known.`,
    fresh: undefined,
  }[state];
  return section(
    "alerts",
    "Alerts",
    unknown === undefined
      ? html`${
          total === 0
            ? html`<p>
                ${rules === 0 ? "Prometheus has no alerting rules." : `None of ${counted(rules, "rule")} fires.`}
              </p>`
            : html`${table("What fires, the worst first", [
                ["alert", "severity", "since", "what it says", "about", "runbook"],
                ...firing.map(({ name, severity, since, summary, runbook, labels }): Row => [
                  name,
                  html`<span class="state ${severity === "critical" ? "failing" : "degraded"}">${severity}</span>`,
                  html`<time datetime="${since}">${clock(since)}</time>`,
                  summary,
                  Object.entries(labels)
                    .map(([label, value]) => `${label} ${value}`)
                    .join(", "),
                  runbook,
                ]),
              ])}
              ${total > firing.length ? html`<p>And ${total - firing.length} more; Prometheus has them all.</p>` : []}`
        }
        ${pending === 0 ? [] : html`<p>${pending} more ${pending === 1 ? "holds" : "hold"}, and not for long enough yet.</p>`}
        ${broken.map(({ name, error: why }) => html`<p><strong>${name} can't be evaluated</strong>: ${why}</p>`)}`
      : html`<p><strong>${unknown}</strong></p>`,
  );
}

/** Zones, and how they were. */
export function zonesSection({ mesh, zones }: Overview, past: Past): Markup {
  const row = (
    name: string,
    state: State,
    { well, unknown, degraded, failing }: Overview["mesh"]["services"],
    of: string,
  ): Row => [name, badge(state), well, unknown, degraded, failing, strip(name, past(of))];
  return section(
    "zones",
    "Zones",
    table("Services by state, and the last day", [
      ["zone", "state", "well", "unknown", "degraded", "failing", "last day"],
      row("mesh as a whole", mesh.state, mesh.services, "mesh"),
      ...zones.map((zone) => row(zone.name, zone.state, zone.services, `zone/${zone.name}`)),
    ]),
  );
}

/** The graph, and the same as a table. */
export function graphSection(overview: Overview): Markup {
  const { edges, traffic } = overview;
  const known = {
    off: "This controller was told of no Prometheus: what goes over the edges is not known.",
    never: "Prometheus has given no answer yet: what goes over the edges is not known.",
    stale: `Prometheus gives no answer since ${traffic.asOf === null ? "long" : clock(traffic.asOf)}: what goes over the edges now is not known.`,
    fresh: `Averages of ${String(traffic.window / 60)} minutes, as of ${traffic.asOf === null ? "now" : clock(traffic.asOf)}.`,
  }[traffic.state];
  const shown = edges.slice(0, MOST_ROWS);
  return section(
    "graph",
    "Calls",
    html`<p>${known}</p>
      <ul class="key">
        ${EDGE_STATES.map((state) => html`<li><span class="line ${state}"></span>${state}</li>`)}
        <li>thicker: more requests</li>
      </ul>
      ${scrolling("Drawn calls", graphMarkup(overview))}
      <details id="edges">
        <summary>${counted(edges.length, "edge")}, one by one</summary>
        ${table("Declared and seen calls", [
          ["from and to", "port", "kind", "state", "requests", "fail", "half within", "99 % within", "why"],
          ...shown.map(edgeRow),
        ])}
        ${rest(edges.length - shown.length)}
      </details>`,
  );
}

function edgeRow({ from, to, port, kind, state, observed, reason, until }: GraphEdge): Row {
  return [
    `${from} → ${to}`,
    port,
    kind,
    badge(state),
    observed === null ? "–" : perSecond(observed.requestsPerSecond),
    observed === null ? "–" : perSecond(observed.failuresPerSecond),
    milliseconds(observed?.p50 ?? null),
    milliseconds(observed?.p99 ?? null),
    [reason ?? "", until === undefined ? "" : html` <em>until ${until}</em>`],
  ];
}

export function servicesSection({ services }: Overview): Markup {
  const shown = services.slice(0, MOST_ROWS);
  return section(
    "services",
    "Services",
    html`${table("Every declared service", [
      ["service", "zone", "state", "ready", "found by callers", "what was found"],
      ...shown.map(({ name, zone, state, instances, findings }): Row => [
        name,
        zone,
        badge(state),
        `${String(instances.ready)} of ${instances.declared === null ? "any" : String(instances.declared)}`,
        instances.registered,
        found(findings),
      ]),
    ])}
    ${rest(services.length - shown.length)}`,
  );
}

/** What is not well; where all is, that. */
function found(findings: readonly Finding[]): Markup {
  const wrong = findings.filter(({ state }) => state !== "well");
  return wrong.length === 0
    ? html`nothing`
    : html`<ul>
        ${wrong.map(({ state, message }) => html`<li>${badge(state)} ${message}</li>`)}
      </ul>`;
}

export function certificatesSection({ services }: Overview): Markup {
  const certificates = services
    .flatMap(({ name, zone, certificate }) => (certificate === null ? [] : [{ name, zone, ...certificate }]))
    .sort((one, other) => one.secondsLeft - other.secondsLeft);
  const shown = certificates.slice(0, MOST_ROWS);
  return section(
    "certificates",
    "Certificates",
    certificates.length === 0
      ? html`<p>Of no certificate it is said when it ends.</p>`
      : html`${table("As issued last, the first to end first", [
          ["service", "zone", "left", "ends", "of 90 days"],
          ...shown.map(({ name, zone, secondsLeft, notAfter }): Row => [
            name,
            zone,
            timeLeft(secondsLeft),
            html`<time datetime="${notAfter}">${clock(notAfter)}</time>`,
            bar(secondsLeft),
          ]),
        ])}
        ${rest(certificates.length - shown.length)}`,
  );
}

export function driftSection({ drift, services }: Overview): Markup {
  const isNotCompared = services.filter((service) => service.drift === "not compared").length;
  return section(
    "drift",
    "Drift",
    drift.isCompared
      ? html`<p>
            ${drift.services.length === 0 ? "What runs is as declared" : `Not as declared: ${drift.services.join(", ")}`}.
          </p>
          ${isNotCompared === 0 ? [] : html`<p>${counted(isNotCompared, "service")} not compared.</p>`}`
      : html`<p>
          <strong>Not compared.</strong> Nobody compares what runs with what was declared; <code>mesh check</code> does
          when it is asked.
        </p>`,
  );
}

export function violationsSection({ violations: { total, first }, traffic }: Overview): Markup {
  return section(
    "violations",
    "Violations",
    html`${
      total === 0
        ? html`<p>None is seen.</p>`
        : html`<ul>
            ${first.map(({ zone, message }) => html`<li>${zone === null ? "" : `${zone}: `}${message}</li>`)}
          </ul>`
    }
    ${total > first.length ? html`<p>And ${total - first.length} more.</p>` : []}
    ${traffic.state === "fresh" ? [] : html`<p>Calls and peers that sidecars refuse are not among them: Prometheus knows them.</p>`}`,
  );
}

export function connectivitySection({
  connectivity: { sidecars, nodesDead },
  enforcement,
  replica,
  leader,
}: Overview): Markup {
  return section(
    "connectivity",
    "Connectivity",
    html`<dl>
      <dt>Sidecars that Prometheus reaches</dt>
      <dd>
        ${sidecars === null ? "not known" : `${String(sidecars.reached)} of ${String(sidecars.reached + sidecars.unreached.length)}`}${
          sidecars === null || sidecars.unreached.length === 0
            ? ""
            : `; not ${sidecars.unreached.slice(0, 20).join(", ")}`
        }
      </dd>
      <dt>Pods that refuse whom they must</dt>
      <dd>${enforcement === null ? "not known" : enforced(enforcement)}</dd>
      <dt>Nodes that do not renew their leases</dt>
      <dd>${nodesDead.length === 0 ? "none" : nodesDead.join(", ")}</dd>
      <dt>Replica that answers</dt>
      <dd>${replica}</dd>
      <dt>Replica that leads</dt>
      <dd>${leader ?? "none"}</dd>
    </dl>`,
  );
}

function enforced({ enforced: { network, sidecar }, letIn, blind }: EnforcementOverview): string {
  return [
    `${String(network)} at the network, ${String(sidecar)} at their sidecars`,
    ...(letIn.length === 0 ? [] : [`they let others in: ${placesOf(letIn)}`]),
    ...(blind.length === 0 ? [] : [`not known: ${placesOf(blind)}`]),
  ].join("; ");
}

function badge(state: State | GraphEdge["state"]): Markup {
  return html`<span class="state ${state}">${state}</span>`;
}

/** How something was over the last day: a bar of its times, and its share of well ones in words. */
function strip(name: string, history: History | undefined): Markup {
  if (history === undefined || history.samples === 0) {
    return html`not known yet`;
  }
  const { spans, shares, interval } = history;
  const day = 86_400_000;
  const end = Date.parse(spans.at(-1)?.to ?? "") + interval * 1_000;
  const at = (time: number): number => Math.max(0, 1 - (end - time) / day) * BAR.width;
  const words = `${percent(shares.well)} of ${counted(history.samples, "sample")} well`;
  return html`<svg
      class="strip"
      role="img"
      aria-label="${name}: ${words}"
      viewBox="0 0 ${BAR.width} ${BAR.height}"
      width="${BAR.width}"
      height="${BAR.height}"
    >
      <rect class="empty" width="${BAR.width}" height="${BAR.height}" />
      ${spans.map(({ from, to, state }) => {
        const [x, right] = [at(Date.parse(from)), at(Date.parse(to) + interval * 1_000)];
        return html`<rect
          class="${state}"
          x="${x.toFixed(2)}"
          width="${Math.max(0.5, right - x).toFixed(2)}"
          height="${BAR.height}"
        />`;
      })}
    </svg>
    <span class="words">${words}</span>`;
}

function bar(secondsLeft: number): Markup {
  const share = Math.min(1, Math.max(0, secondsLeft / FULL_BAR));
  const state = secondsLeft <= 0 ? "failing" : secondsLeft < 3 * 86_400 ? "degraded" : "well";
  return html`<svg
    class="strip"
    role="img"
    aria-label="${percent(share)}"
    viewBox="0 0 ${BAR.width} ${BAR.height}"
    width="${BAR.width}"
    height="${BAR.height}"
  >
    <rect class="empty" width="${BAR.width}" height="${BAR.height}" />
    <rect class="${state}" width="${(share * BAR.width).toFixed(1)}" height="${BAR.height}" />
  </svg>`;
}

function rest(count: number): Markup {
  return count > 0 ? html`<p>And ${count} more; the API has them all.</p>` : html``;
}

/** `2026-06-01 12:00 UTC`. */
function clock(instant: string): string {
  return instant.replace("T", " ").replace(/:\d\d(\.\d+)?Z$/, " UTC");
}
