import { collectDefaultMetrics, Counter, Histogram, Registry } from "@prometheus-io/client";
import type { ZoneName } from "../../../mesh/model.js";
import type { CanaryCount, Layer, Outcome } from "./canary/model.js";
import { GaugesOf } from "./gauges.js";

/** Gauges that are asked when they are scraped. */
export interface Gauges {
  readonly backlog: () => number;
  /** What is not as it was declared. */
  readonly drift: () => Iterable<{ readonly zone: ZoneName; readonly class: string; readonly count: number }>;
  /** What of it is left as it is, because it was changed again after each repair. */
  readonly driftLeft: () => Iterable<{ readonly zone: ZoneName; readonly class: string; readonly count: number }>;
  /** Pods at which the live canary knocks, by what it knows of them. */
  readonly canary: () => Iterable<CanaryCount>;
  /** Seconds by which the clocks of nodes are ahead of the controller's own. */
  readonly clocks: () => Iterable<{ readonly node: string; readonly seconds: number }>;
  /** Instances of each service that was judged: how many are declared (where a number is), ready, and found by callers. */
  readonly serviceInstances: () => Iterable<{
    readonly zone: ZoneName;
    readonly service: string;
    readonly state: "declared" | "ready" | "registered";
    readonly count: number;
  }>;
  readonly instances: () => Iterable<{ readonly zone: ZoneName; readonly status: string; readonly count: number }>;
  readonly nodesDead: () => number;
  readonly leading: () => boolean;
  /** When certificates run out, as they were issued last, in seconds since 1970. */
  readonly certificateEnds: () => Iterable<{ readonly zone: ZoneName; readonly service: string; readonly end: number }>;
  /** From when on issuers make certificates anew, in seconds since 1970: of those that they make. */
  readonly certificateRenewals: () => Iterable<{
    readonly zone: ZoneName;
    readonly service: string;
    readonly renewal: number;
  }>;
  /** Certificates that their issuer should have made anew. */
  readonly overdueCertificates: () => Iterable<{ readonly zone: ZoneName; readonly count: number }>;
  /** Services by what their status says of their readiness: `True`, `False`, `Unknown`; empty where nothing was said. */
  readonly services: () => Iterable<{ readonly zone: ZoneName; readonly ready: string; readonly count: number }>;
}

/** The controller's metrics, in Prometheus' text format. */
export class Metrics {
  private readonly registry = new Registry();

  private readonly writes = new Counter({
    name: "lucid_controller_catalogue_writes_total",
    help: "Writes to the registry that succeeded, by zone and operation.",
    labelNames: ["zone", "operation"],
    registers: [this.registry],
  });
  private readonly failures = new Counter({
    name: "lucid_controller_failures_total",
    help: "Operations that failed and are tried again, by zone and operation.",
    labelNames: ["zone", "operation"],
    registers: [this.registry],
  });
  private readonly comparisons = new Histogram({
    name: "lucid_controller_reconcile_duration_seconds",
    help: "Time of a successful comparison of a zone with the registry.",
    labelNames: ["zone"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });
  private readonly requests = new Histogram({
    name: "lucid_controller_registry_request_duration_seconds",
    help: "Time of requests to the discovery backend, by zone (none: not to register anybody) and its status (error: no answer).",
    labelNames: ["zone", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });

  private readonly elections = new Counter({
    name: "lucid_controller_elections_total",
    help: "Times that this replica took the lead (elected), gave it back (released) or could not keep it (lost).",
    labelNames: ["outcome"],
    registers: [this.registry],
  });

  private readonly statuses = new Counter({
    name: "lucid_controller_status_writes_total",
    help: "Statuses of MeshServices that were written, by zone.",
    labelNames: ["zone"],
    registers: [this.registry],
  });

  private readonly driftFound = new Counter({
    name: "lucid_controller_drift_found_total",
    help: "Objects that were found not to be as declared, by zone, class and what became of them.",
    labelNames: ["zone", "class", "what"],
    registers: [this.registry],
  });
  private readonly driftRepaired = new Counter({
    name: "lucid_controller_drift_repaired_total",
    help: "Objects that were put right, by zone and class.",
    labelNames: ["zone", "class"],
    registers: [this.registry],
  });

  private readonly canaryTries = new Counter({
    name: "lucid_controller_canary_tries_total",
    help: "Times that a pod was asked whether it refuses what it must, by layer and outcome.",
    labelNames: ["layer", "outcome"],
    registers: [this.registry],
  });

  private readonly inspections = new Counter({
    name: "lucid_controller_inspections_total",
    help: "Times that a sidecar was asked by which files it runs, by zone and outcome: answered, failed.",
    labelNames: ["zone", "outcome"],
    registers: [this.registry],
  });

  /** Value of the `Content-Type` header. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Adds the gauges; call once. */
  expose(gauges: Gauges): void {
    collectDefaultMetrics({ register: this.registry });
    const tell = new GaugesOf(this.registry, "lucid_controller");
    tell.one("backlog", "Instances whose registration is not yet as it should be.", gauges.backlog);
    tell.one(
      "nodes_dead",
      "Nodes whose lease was not renewed within the registration's time to live.",
      gauges.nodesDead,
    );
    tell.one("leading", "Whether this replica leads (1) or follows (0).", () => (gauges.leading() ? 1 : 0));
    tell.each(
      "services",
      "Declared services, by zone and by what their status says of their readiness.",
      ["zone", "ready"],
      "count",
      gauges.services,
    );
    tell.each(
      "certificate_expiry_timestamp_seconds",
      "When the certificate of a service runs out, as it was issued last.",
      ["zone", "service"],
      "end",
      gauges.certificateEnds,
    );
    tell.each(
      "certificate_renewal_timestamp_seconds",
      "From when on the issuer of its zone makes the certificate of a service anew, where it makes it.",
      ["zone", "service"],
      "renewal",
      gauges.certificateRenewals,
    );
    tell.each(
      "certificates_overdue",
      "Certificates that the issuer of their zone should have made anew ten minutes ago, and did not.",
      ["zone"],
      "count",
      gauges.overdueCertificates,
    );
    tell.each(
      "drift",
      "Objects that are not as declared, by zone and class; told by the replica that leads.",
      ["zone", "class"],
      "count",
      gauges.drift,
    );
    tell.each(
      "drift_left",
      "Objects that are not as declared and are left so, as they were changed again after each repair, by zone and class; told by the replica that leads.",
      ["zone", "class"],
      "count",
      gauges.driftLeft,
    );
    tell.each(
      "canary",
      "Pods by whether they refuse what they must, as the live canary found, by layer, outcome (enforced, let-in, blind) and node; told by the replica that leads.",
      ["layer", "outcome", "node"],
      "count",
      gauges.canary,
    );
    tell.each(
      "clock_skew_seconds",
      "Seconds by which the clock of a node is ahead of the controller's (behind: below 0), at the least, as a sidecar there showed it; told by the replica that leads.",
      ["node"],
      "seconds",
      gauges.clocks,
    );
    tell.each(
      "service_instances",
      "Instances of each declared service, by zone, service and state: declared, ready, or registered and so found by callers.",
      ["zone", "service", "state"],
      "count",
      gauges.serviceInstances,
    );
    tell.each(
      "instances",
      "Instances that should be registered, by zone and status of their check.",
      ["zone", "status"],
      "count",
      gauges.instances,
    );
  }

  /** A write succeeded. */
  done(zone: ZoneName, operation: string): void {
    this.writes.inc({ zone, operation });
  }

  /** Something failed that is tried again: a step's kind, or what else the controller does. */
  failure(zone: ZoneName | "none", operation: string): void {
    this.failures.inc({ zone, operation });
  }

  /** The status of a service was written. */
  statusWritten(zone: ZoneName): void {
    this.statuses.inc({ zone });
  }

  /** An object is not as it was declared. */
  drifted(zone: ZoneName, of: string, what: string): void {
    this.driftFound.inc({ zone, class: of, what });
  }

  /** A pod was asked whether it refuses what it must. */
  canaryTried(layer: Layer, outcome: Outcome): void {
    this.canaryTries.inc({ layer, outcome });
  }

  /** A sidecar was asked by what it runs. */
  inspected(zone: ZoneName, outcome: "answered" | "failed"): void {
    this.inspections.inc({ zone, outcome });
  }

  /** An object was put right. */
  repaired(zone: ZoneName, of: string): void {
    this.driftRepaired.inc({ zone, class: of });
  }

  /** This replica's part in who leads has changed. */
  election(outcome: "elected" | "released" | "lost"): void {
    this.elections.inc({ outcome });
  }

  /** Starts the clock of a comparison; call the result when it succeeded. */
  startComparison(zone: ZoneName): () => void {
    return this.comparisons.startTimer({ zone });
  }

  /** A request to the discovery backend ended. */
  registryRequest(zone: ZoneName | "none", seconds: number, outcome: string): void {
    this.requests.observe({ zone, status: outcome }, seconds);
  }

  /** All metrics as text. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}
