/** Meshes to be shown: one that is well, one that isn't, and a large one. */
import { PLANES, ZONES, type ZoneName } from "../../../mesh";
import {
  worst,
  type GraphEdge,
  type History,
  type Observed,
  type Overview,
  type ServiceOverview,
  type State,
} from "../../../mesh/overview/model";
import { countStates } from "../../../services/controller/src/overview/health";

export const NOW = "2026-06-01T12:00:00.000Z";

function service(name: string, zone: ZoneName, state: State = "well", days = 60): ServiceOverview {
  const said = { well: "all instances are ready", unknown: "nothing was said of it yet" } as Record<string, string>;
  return {
    name,
    zone,
    workload: "application",
    state,
    findings: [{ check: "ready", state, message: said[state] ?? "0 of 1 instances are ready" }],
    instances: { declared: 1, present: 1, ready: state === "well" ? 1 : 0, registered: state === "well" ? 1 : 0 },
    certificate: {
      notAfter: new Date(Date.parse(NOW) + days * 86_400_000).toISOString(),
      secondsLeft: days * 86_400,
    },
    drift: "not compared",
  };
}

function edge(
  from: string,
  to: string,
  state: GraphEdge["state"],
  requests: number,
  more: Partial<GraphEdge> = {},
): GraphEdge {
  const failing = state === "failing" ? 0.7 : state === "degraded" ? 0.1 : 0;
  const observed: Observed | null =
    state === "unknown"
      ? null
      : {
          requestsPerSecond: requests,
          failuresPerSecond: requests * failing,
          connectionsPerSecond: requests / 10,
          connectFailuresPerSecond: 0,
          p50: requests > 0 ? 1.25 : null,
          p99: requests > 0 ? 12 : null,
        };
  return { from, to, port: "http", kind: "call", crossesZones: true, reason: "It is needed", state, observed, ...more };
}

function overview(
  services: readonly ServiceOverview[],
  edges: readonly GraphEdge[],
  more: Partial<Overview> = {},
): Overview {
  const zones = ZONES.map((name) => {
    const own = services.filter(({ zone }) => zone === name);
    return {
      name,
      isPlane: PLANES.some((plane) => plane === name),
      state: worst(own.map(({ state }) => state)),
      services: countStates(own),
      findings: [],
    };
  });
  return {
    apiVersion: "v1",
    time: NOW,
    replica: "mesh-controller-7d9_0b1c",
    leader: "mesh-controller-7d9_0b1c",
    mesh: { state: worst(zones.map(({ state }) => state)), services: countStates(services), findings: [] },
    zones,
    services: [...services],
    traffic: { state: "fresh", asOf: NOW, window: 300, error: null },
    edges: [...edges],
    connectivity: { sidecars: { reached: services.length, unreached: [] }, nodesDead: [] },
    enforcement: { enforced: { network: services.length, sidecar: services.length }, letIn: [], blind: [] },
    drift: { isCompared: false, services: [] },
    violations: { total: 0, first: [] },
    alerts: { state: "fresh", asOf: NOW, error: null, rules: 36, broken: [], pending: 0, total: 0, firing: [] },
    ...more,
  };
}

const telemetry = { kind: "telemetry", port: "otlp", reason: "Spans of its calls go to the trace collector" } as const;

export function wellMesh(): Overview {
  return overview(
    [
      service("admin-ui", "ops"),
      service("jaeger", "ops"),
      service("prometheus", "ops"),
      service("lucid-blocks", "chain"),
      service("tron-payment", "wallet"),
      service("payout-router", "wallet"),
      service("mesh-controller", "mesh"),
    ],
    [
      edge("admin-ui", "lucid-blocks", "well", 12),
      edge("admin-ui", "payout-router", "well", 0.4),
      edge("admin-ui", "prometheus", "idle", 0),
      edge("payout-router", "lucid-blocks", "well", 140),
      edge("payout-router", "tron-payment", "well", 2_300),
      edge("prometheus", "mesh-controller", "well", 0.3),
      edge("mesh-controller", "prometheus", "well", 0.3),
      ...["admin-ui", "lucid-blocks", "payout-router", "tron-payment", "prometheus", "mesh-controller"].map((from) =>
        edge(from, "jaeger", "well", 1, telemetry),
      ),
    ],
  );
}

/** What somebody could try by a name, a reason or a message. */
export const HOSTILE = [
  `<script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `</title></style></svg></script><script>alert(1)</script>`,
  `' onmouseover='alert(1)`,
  `javascript:alert(1)`,
  `\u202Eevil\u0000`,
] as const;

export function troubledMesh(): Overview {
  const well = wellMesh();
  const [script, image, closing, attribute, link, direction] = HOSTILE;
  const services = [
    ...well.services.filter(({ name }) => name !== "tron-payment" && name !== "lucid-blocks"),
    service("tron-payment", "wallet", "failing", 0),
    service("lucid-blocks", "chain", "degraded", 2),
    service(script, "ops", "unknown", 1),
    { ...service(`a-name-as-long-as-a-name-may-be-at-most-${"x".repeat(20)}`, "edge"), certificate: null },
  ];
  return overview(
    services,
    [
      ...well.edges.map((one) =>
        one.to === "tron-payment"
          ? edge("payout-router", "tron-payment", "failing", 8, { reason: closing })
          : one.to === "lucid-blocks" && one.from === "admin-ui"
            ? edge("admin-ui", "lucid-blocks", "degraded", 12, { until: "2026-12-31T18:00:00Z" })
            : one,
      ),
      edge("lucid-blocks", "admin-ui", "well", 1, { kind: "undeclared", reason: undefined }),
      edge(script, image, "unknown", 0, { reason: attribute, port: link }),
    ],
    {
      mesh: {
        state: "failing",
        services: countStates(services),
        findings: [
          { check: "nodes", state: "degraded", message: `nodes do not renew their leases: ${image}` },
          {
            check: "undeclared",
            state: "failing",
            message: "calls are made that no declaration has: lucid-blocks to admin-ui",
          },
        ],
      },
      connectivity: { sidecars: { reached: 6, unreached: [direction] }, nodesDead: [image] },
      enforcement: {
        enforced: { network: 4, sidecar: 5 },
        letIn: [{ layer: "network", node: image, pods: 2 }],
        blind: [{ layer: "sidecar", node: direction, pods: 1 }],
      },
      alerts: {
        state: "fresh",
        asOf: NOW,
        error: null,
        rules: 36,
        broken: [{ name: script, error: closing }],
        pending: 2,
        total: 249,
        firing: [
          {
            name: "LucidEnforcementLost",
            severity: "critical",
            since: "2026-06-01T11:48:00.000Z",
            summary:
              "In ops something runs that nothing holds back, or somebody may do more at the discovery backend than is declared (1)",
            runbook: "docs/runbooks/enforcement.md#lucidenforcementlost",
            labels: { zone: "ops", class: "enforcement" },
          },
          {
            name: image,
            severity: "warning",
            since: attribute,
            summary: closing,
            runbook: link,
            labels: { [script]: direction },
          },
        ],
      },
      violations: {
        total: 250,
        first: [
          { kind: "pod", zone: "ops", service: script, message: closing },
          {
            kind: "call",
            zone: null,
            service: "lucid-blocks",
            message: `lucid-blocks refuses calls of zone wallet to http: 2.0 a minute`,
          },
        ],
      },
    },
  );
}

/** As many services as the mesh is made for. */
export function largeMesh(): Overview {
  const name = (index: number) => `service-${String(index).padStart(4, "0")}`;
  const services = Array.from({ length: 1_000 }, (_, index) =>
    service(name(index), PLANES[index % PLANES.length] ?? "ops", index % 97 === 0 ? "degraded" : "well", index % 90),
  );
  const edges = services.flatMap(({ name: from }, index) =>
    [1, 2, 3].map((step) => edge(from, name((index + step) % services.length), "well", step)),
  );
  return overview(services, edges, {
    traffic: { state: "stale", asOf: NOW, window: 300, error: "no answer" },
    alerts: {
      state: "stale",
      asOf: NOW,
      error: "no answer",
      rules: 0,
      broken: [],
      pending: 0,
      total: 0,
      firing: [],
    },
  });
}

/** A day of which two hours were bad. */
export function past(of: string): History {
  const at = (hour: number) => new Date(Date.parse(NOW) - (24 - hour) * 3_600_000).toISOString();
  return {
    apiVersion: "v1",
    of,
    interval: 60,
    samples: 1_440,
    shares: { well: 22 / 24, unknown: 0, degraded: 1 / 24, failing: 1 / 24 },
    spans: [
      { from: at(0), to: at(10), state: "well" },
      { from: at(10), to: at(11), state: "degraded" },
      { from: at(11), to: at(12), state: "failing" },
      { from: at(12), to: at(24), state: "well" },
    ],
  };
}
