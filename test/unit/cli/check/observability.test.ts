import { Declared } from "../../../../cli/check/plan/declared";
import { parseSettings } from "../../../../components";
import { lucid } from "../../proof/lucid";
import { describeFaults, remove } from "./faults";
import type { RecordedCluster } from "./recorded-cluster";

const json = (body: unknown) => ({ status: 200, body: JSON.stringify(body) });

/** Has Prometheus answer every query by one series. */
function answers(cluster: RecordedCluster, metric: object, value: string): void {
  const ask = cluster.ask.bind(cluster);
  cluster.ask = (pod, port, path) =>
    path.startsWith("/api/v1/query")
      ? Promise.resolve(json({ data: { result: [{ metric, value: [0, value] }] } }))
      : ask(pod, port, path);
}

const STACK = { apiServerCidr: "10.77.0.10/32", nodeResolverIp: "10.96.64.53", consulIp: "10.96.64.54" };

/** A target; up where it has no error. */
function target(job: string, pod: string, lastError = "") {
  return { labels: { job, pod }, health: lastError === "" ? "up" : "down", lastError };
}

const TARGETS = "prometheus/api/v1/targets?state=active";

describeFaults("observability", [
  {
    id: "prometheus-ready",
    title: "a Prometheus that starts",
    make: (cluster) => {
      cluster.answers.set("prometheus/-/ready", { status: 503, body: "Service Unavailable" });
    },
    says: /\/-\/ready answers 503\nService Unavailable/,
  },
  {
    id: "prometheus-ready",
    title: "no Prometheus",
    make: (cluster) => {
      remove(cluster, "Pod", "lucid-ops/prometheus-0");
    },
    says: /no pod of it is ready/,
  },
  {
    id: "prometheus-targets",
    title: "a target that is down, and pods that are none",
    make: (cluster) => {
      const activeTargets = [
        target("sidecars-ops", "admin-ui-0", "connection refused"),
        target("applications-wallet", "payout-router-0"),
      ];
      cluster.answers.set(TARGETS, json({ data: { activeTargets } }));
    },
    says: /admin-ui-0: connection refused\n[\s\S]*payout-router-0 is no target/,
  },
  {
    id: "application-metrics",
    title: "an application that is not reached, and one that nobody asks",
    make: (cluster) => {
      const activeTargets = [
        target("applications-ops", "prometheus-0", "server returned HTTP status 503 Service Unavailable"),
        target("sidecars-mesh", "mesh-controller-0"),
      ];
      cluster.answers.set(TARGETS, json({ data: { activeTargets } }));
    },
    says: /prometheus-0: .*503 Service Unavailable\n[\s\S]*mesh-controller-0 is no target/,
  },
  {
    id: "application-metrics",
    title: "a document in which no application tells any",
    make: (_, context) => {
      const services = lucid.services.map((service) => ({ ...service, metrics: undefined }));
      context.declaration = new Declared({ ...lucid, services }, parseSettings(STACK));
    },
    status: "skipped",
    says: /no service of the document declares `metrics`/,
  },
  {
    id: "sidecar-updates",
    title: "a rejected update",
    make: (cluster) => {
      answers(cluster, { pod: "admin-ui-0" }, "2");
    },
    status: "warning",
    says: /admin-ui-0: 2/,
  },
  {
    id: "trust-refusals",
    title: "refused handshakes",
    make: (cluster) => {
      answers(cluster, { pod: "admin-ui-0" }, "1.2");
    },
    status: "warning",
    says: /admin-ui-0: 2/,
  },
  {
    id: "certificates-served",
    title: "a sidecar with an older certificate",
    make: (cluster) => {
      answers(cluster, { pod: "admin-ui-0", service: "admin-ui" }, "30");
    },
    status: "warning",
    says: /admin-ui-0 serves one that ends in 30 days; in the Secret it is 0/,
  },
  {
    id: "jaeger-ready",
    title: "a Jaeger that fails",
    make: (cluster) => {
      cluster.answers.set("jaeger/api/services", { status: 500, body: "no storage" });
    },
    says: /\/api\/services answers 500\nno storage/,
  },
  {
    id: "jaeger-ready",
    title: "tracing that is off",
    make: (_, context) => {
      context.declaration = new Declared(lucid, parseSettings({ ...STACK, tracingEnabled: "false" }));
    },
    status: "skipped",
    says: /tracing is off/,
  },
]);
