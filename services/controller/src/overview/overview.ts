import { PLANES, type ZoneName } from "../../../../mesh/model.js";
import {
  worst,
  type AlertsOverview,
  type Finding,
  type GraphEdge,
  type Overview,
  type ServiceOverview,
  type State,
  type Violation,
  type ZoneOverview,
} from "../../../../mesh/overview/model.js";
import { describe } from "../log.js";
import type { Parts } from "../status.js";
import type { ZoneView } from "../zone.js";
import { enforcementFindings } from "./enforcement.js";
import { calleeFindings, graphOf, type GraphNode } from "./graph.js";
import { countStates, serviceHealth, withFindings } from "./health.js";
import type { StateHistory } from "./history.js";
import type { Alerts } from "./alerts.js";
import type { PrometheusView, Seen } from "./prometheus.js";
import { WINDOW, edgeKey, type Refusals } from "./traffic.js";

/** Milliseconds for which an overview is answered again: whoever asks often costs no more. */
const FRESH = 1_000;
/** Violations, and names in a message, that are told one by one. */
const MOST_VIOLATIONS = 100;
const NAMED = 5;
const MOST_ALERTS = 200;
/** Milliseconds after which traffic past the declarations is none of an edge that was just taken back: it is out of every average, and every sidecar has its files. */
const UNDECLARED = 2 * WINDOW * 1000;

/** How the mesh is, as this replica sees it: from the services' statuses, the pods, and what Prometheus saw. */
export class MeshOverview {
  private made: { readonly at: number; readonly overview: Overview } | undefined;
  /** When traffic past the declarations was first seen, by edge. */
  private readonly undeclared = new Map<string, number>();

  constructor(
    private readonly parts: Pick<Parts, "views" | "elector">,
    private readonly prometheus: Pick<PrometheusView, "seen" | "alerts">,
    private readonly history: StateHistory,
  ) {}

  /** @param now milliseconds since 1970 */
  at(now: number): Overview {
    if (this.made === undefined || now < this.made.at || now - this.made.at > FRESH) {
      this.made = { at: now, overview: this.make(now) };
    }
    return this.made.overview;
  }

  /** Remembers how all is. */
  sample(now: number): void {
    const { mesh, zones, services } = this.at(now);
    const states: [string, State][] = [
      ["mesh", mesh.state],
      ...zones.map(({ name, state }): [string, State] => [`zone/${name}`, state]),
      ...services.map(({ name, state }): [string, State] => [`service/${name}`, state]),
    ];
    this.history.sample(now, new Map(states));
  }

  private make(now: number): Overview {
    const { views, elector } = this.parts;
    const { state: known, time, value: traffic, error } = this.prometheus.seen;
    const declared: (GraphNode & { readonly overview: ServiceOverview })[] = views.zones.flatMap((view) =>
      [...(storeOf(views, view)?.all() ?? [])].map((service) => ({
        zone: view.name,
        service,
        overview: serviceHealth(view.name, service, now),
      })),
    );
    const edges = graphOf(declared, traffic);
    const found = calleeFindings(edges);
    const services = declared
      .map(({ overview }) => withFindings(overview, found.get(overview.name) ?? []))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
    const zones = views.zones.map((view) => zoneOverview(view, storeOf(views, view)?.synced ?? false, services));
    const lasting = this.lasting(edges, now);
    const findings = [
      leading(elector.leader),
      ...(views.leases.dead().length === 0
        ? []
        : [finding("nodes", "degraded", `nodes do not renew their leases: ${listed(views.leases.dead())}`)]),
      ...(known === "stale" || known === "never"
        ? [
            finding(
              "traffic",
              "unknown",
              `Prometheus gives no answer${error === undefined ? "" : `: ${describe(error)}`}`,
            ),
          ]
        : []),
      ...(traffic === undefined || traffic.unreached.length === 0
        ? []
        : [finding("sidecars", "degraded", `Prometheus does not reach the sidecars of ${listed(traffic.unreached)}`)]),
      ...enforcementFindings(traffic?.enforcement ?? null),
      ...(lasting.length === 0
        ? []
        : [finding("undeclared", "failing", `calls are made that no declaration has: ${listed(lasting)}`)]),
    ];
    const violations = [
      ...views.zones.flatMap(refusedPods),
      ...edges.filter(({ kind }) => kind === "undeclared").map((edge) => undeclaredCall(edge, services)),
      ...(traffic?.refusedCalls ?? []).map(refusedCall),
      ...(traffic?.refusedPeers ?? []).map(refusedPeer),
    ];
    const drifted = services.filter(({ drift }) => drift !== "not compared");
    return {
      apiVersion: "v1",
      time: iso(now),
      replica: elector.identity,
      leader: elector.leader ?? null,
      mesh: {
        state: worst([...zones.map(({ state }) => state), ...findings.map(({ state }) => state)]),
        services: countStates(services),
        findings,
      },
      zones,
      services,
      traffic: {
        state: known,
        asOf: time === undefined ? null : iso(time),
        window: WINDOW,
        error: error === undefined ? null : describe(error),
      },
      edges,
      connectivity: {
        sidecars: traffic === undefined ? null : { reached: traffic.reached, unreached: [...traffic.unreached] },
        nodesDead: [...views.leases.dead()],
      },
      enforcement: traffic?.enforcement ?? null,
      drift: {
        isCompared: drifted.length > 0,
        services: drifted.filter(({ drift }) => drift === "found").map(({ name }) => name),
      },
      violations: { total: violations.length, first: violations.slice(0, MOST_VIOLATIONS) },
      alerts: alertsOverview(this.prometheus.alerts),
    };
  }

  /** Edges past the declarations whose traffic is no remainder. */
  private lasting(edges: readonly GraphEdge[], now: number): string[] {
    const seen = new Map(
      edges
        .filter(({ kind }) => kind === "undeclared")
        .map((edge) => [edgeKey(edge.from, edge.to, edge.port), `${edge.from} to ${edge.to}`]),
    );
    for (const key of this.undeclared.keys()) {
      if (!seen.has(key)) {
        this.undeclared.delete(key);
      }
    }
    return [...seen].flatMap(([key, name]) => {
      const since = this.undeclared.get(key) ?? now;
      this.undeclared.set(key, since);
      return now - since > UNDECLARED ? [name] : [];
    });
  }
}

/** What fires. It makes no state: states say how all is now, and most rules rest on the same facts. */
function alertsOverview({ state, time, value, error }: Seen<Alerts>): AlertsOverview {
  const { rules = 0, broken = [], pending = 0, firing = [] } = value ?? {};
  return {
    state,
    asOf: time === undefined ? null : iso(time),
    error: error === undefined ? null : describe(error),
    rules,
    broken: [...broken],
    pending,
    total: firing.length,
    firing: firing.slice(0, MOST_ALERTS),
  };
}

function storeOf({ services }: Parts["views"], { pods }: ZoneView): Parts["views"]["services"][number] | undefined {
  return services.find(({ namespace }) => namespace === pods.namespace);
}

function zoneOverview(view: ZoneView, isListed: boolean, all: readonly ServiceOverview[]): ZoneOverview {
  const { name, pods, isAwaited } = view;
  const services = all.filter(({ zone }) => zone === name);
  const known = new Set(services.map((service) => service.name));
  const undeclared = isListed ? [...pods.services()].filter((service) => !known.has(service)) : [];
  const refused = [...view.refusals().keys()].sort();
  const findings: Finding[] = isAwaited
    ? [finding("deployed", "well", "another stack deploys it, and has not done so yet")]
    : [
        ...(pods.synced && isListed ? [] : [finding("seen", "unknown", unseen(pods))]),
        ...(refused.length === 0 ? [] : [finding("members", "degraded", `pods are refused: ${listed(refused)}`)]),
        ...(undeclared.length === 0
          ? []
          : [
              finding(
                "declared",
                "degraded",
                `pods run of services that nobody declares: ${listed(undeclared.sort())}`,
              ),
            ]),
      ];
  return {
    name,
    isPlane: PLANES.some((plane) => plane === name),
    state: worst([...services.map(({ state }) => state), ...findings.map(({ state }) => state)]),
    services: countStates(services),
    findings,
  };
}

function unseen({ namespace, error }: ZoneView["pods"]): string {
  return `its pods and services were never listed yet${error === undefined ? "" : ` (${namespace}: ${describe(error)})`}`;
}

function leading(leader: string | undefined): Finding {
  return leader === undefined
    ? finding("leader", "degraded", "no replica leads: what is told of services is not brought up to date")
    : finding("leader", "well", `${leader} leads`);
}

function refusedPods(view: ZoneView): Violation[] {
  return [...view.refusals()].sort().map(([pod, reason]) => ({
    kind: "pod",
    zone: view.name,
    service: pod,
    message: `pod ${pod} is refused: ${reason}`,
  }));
}

function undeclaredCall({ from, to, port }: GraphEdge, services: readonly ServiceOverview[]): Violation {
  const zone: ZoneName | null = services.find(({ name }) => name === from)?.zone ?? null;
  return { kind: "edge", zone, service: from, message: `${from} calls ${port} of ${to}, which no declaration has` };
}

function refusedCall({ zone, service, port, callerZone, perSecond }: Refusals): Violation {
  const message = `${service} refuses calls of zone ${callerZone ?? "unknown"} to ${port ?? "a port"}: ${perMinute(perSecond)}`;
  return { kind: "call", zone, service, message };
}

function refusedPeer({ zone, service, perSecond }: Refusals): Violation {
  return { kind: "peer", zone, service, message: `${service} refuses certificates of peers: ${perMinute(perSecond)}` };
}

function perMinute(perSecond: number): string {
  return `${(perSecond * 60).toPrecision(2)} a minute`;
}

function finding(check: string, state: State, message: string): Finding {
  return { check, state, message };
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return names.slice(0, NAMED).join(", ") + (more > 0 ? `, and ${String(more)} more` : "");
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
