import { resolveMesh, validateDocument } from "../../../../mesh";
import { Declared } from "../../../../cli/check/plan/declared";
import { externalMesh } from "../../envoy/external-fixture";
import { happy, put } from "../../mesh/fixture";
import { settings } from "../../proof/lucid";
import { add, describeFaults, field, find, remove } from "./faults";
import type { RecordedCluster } from "./recorded-cluster";

const POD = "lucid-ops/admin-ui-0";
const DEPLOYMENT = "lucid-ops/admin-ui";
const now = () => new Date().toISOString();

/** What one of the pod's containers is at. */
function statusOf(cluster: RecordedCluster, kind: "init" | "app"): Record<string, unknown> {
  return field(find(cluster, "Pod", POD), "status", kind === "init" ? "initContainerStatuses" : "containerStatuses", 0);
}

describeFaults("sidecars", [
  {
    id: "workloads-ready",
    title: "a service that is not there",
    make: (cluster) => {
      remove(cluster, "Deployment", DEPLOYMENT);
    },
    says: /lucid-ops\/admin-ui is missing/,
  },
  ...(
    [
      ["status", "readyReplicas", 0, /0 of 1 pods are ready/],
      ["status", "updatedReplicas", 0, /0 of 1 pods are of its last change/],
      ["spec", "replicas", 3, /is scaled to 3, not to 1/],
      ["metadata", "generation", 2, /its last change is not taken up yet/],
    ] as const
  ).map(([part, key, value, says]) => ({
    id: "workloads-ready",
    title: `a Deployment with ${key} ${String(value)}`,
    make: (cluster: RecordedCluster) => {
      field(find(cluster, "Deployment", DEPLOYMENT), part)[key] = value;
    },
    says,
  })),
  {
    id: "workloads-ready",
    title: "a joined service without a pod",
    make: (cluster, context) => {
      const document = happy();
      put(document, "services.2", {
        name: "tron-payment",
        plane: "wallet",
        joinedBy: "team payments",
        ports: [{ name: "http", port: 8080 }],
      });
      context.declaration = new Declared(resolveMesh(validateDocument(document), { tracing: true }), settings);
      cluster.objects.splice(cluster.objects.indexOf(find(cluster, "Pod", "lucid-wallet/tron-payment-0")), 1);
    },
    status: "warning",
    says: /lucid-wallet\/tron-payment/,
  },
  {
    id: "outside-services",
    title: "services outside that nobody can reach",
    make: (_, context) => {
      context.declaration = new Declared(externalMesh(), settings);
    },
    status: "warning",
    says: /lucid-edge\/ledger-db: 0 of 0 pods can reach it\nlucid-ops\/legacy: .*\nlucid-edge\/rates: 0 of 0/,
  },
  {
    id: "outside-services",
    title: "one that one of two pods can reach",
    make: (cluster, context) => {
      context.declaration = new Declared(externalMesh(), settings);
      for (const [name, status] of [
        ["ledger-db", "True"],
        ["ledger-db", "False"],
        ["rates", "True"],
      ] as const) {
        const pod = add(cluster, "v1", "Pod", `lucid-edge/${name}-${status}`, {
          spec: {},
          status: { phase: "Running", conditions: [{ type: "Ready", status }] },
        });
        Object.assign(pod.metadata, { labels: { "app.kubernetes.io/name": name } });
      }
    },
    status: "warning",
    says: /^services outside the cluster don't answer as declared\nlucid-edge\/ledger-db: 1 of 2 pods can reach it\nlucid-ops\/legacy: .*$/,
  },
  {
    id: "workloads",
    title: "another image",
    make: (cluster) => {
      field(find(cluster, "Deployment", DEPLOYMENT), "spec", "template", "spec", "containers", 0).image =
        "busybox:1.35.0";
    },
    says: /admin-ui: spec\.template\.spec\.containers\[0\]\.image is "busybox:1\.35\.0", not "fortio/,
  },
  {
    id: "workloads",
    title: "a container more",
    make: (cluster) => {
      const containers = field<object[]>(
        find(cluster, "Deployment", DEPLOYMENT),
        "spec",
        "template",
        "spec",
        "containers",
      );
      containers.push({ name: "more" });
    },
    says: /spec\.template\.spec\.containers has 2 items, not 1/,
  },
  {
    id: "sidecar-files",
    title: "a changed file, with its line",
    make: (cluster) => {
      const data = field<Record<string, string>>(
        find(cluster, "ConfigMap", "lucid-wallet/payout-router-envoy"),
        "data",
      );
      data["listeners.yaml"] = (data["listeners.yaml"] ?? "").replace("15001", "15002");
    },
    says: /payout-router-envoy: data\.listeners\.yaml, line \d+, is ".*15002.*", not/,
  },
  {
    id: "accounts",
    title: "an account that is missing",
    make: (cluster) => {
      remove(cluster, "ServiceAccount", "lucid-wallet/payout-router");
    },
    says: /ServiceAccount lucid-wallet\/payout-router is missing/,
  },
  {
    id: "accounts",
    title: "an account that is nobody's",
    make: (cluster) => {
      add(cluster, "v1", "ServiceAccount", "lucid-wallet/helper");
    },
    says: /ServiceAccount lucid-wallet\/helper is nobody's/,
  },
  {
    id: "disruption-budgets",
    title: "a budget that is missing",
    make: (cluster) => {
      remove(cluster, "PodDisruptionBudget", DEPLOYMENT);
    },
    says: /PodDisruptionBudget lucid-ops\/admin-ui is missing/,
  },
  {
    id: "jobs",
    title: "a job that failed",
    make: (cluster) => {
      add(cluster, "batch/v1", "Job", "lucid-ops/audit", {
        status: { conditions: [{ type: "Failed", status: "True" }] },
      });
    },
    says: /lucid-ops\/audit failed/,
  },
  {
    id: "jobs",
    title: "a CronJob that is suspended",
    make: (cluster) => {
      add(cluster, "batch/v1", "CronJob", "lucid-ops/nightly", { spec: { suspend: true } });
    },
    says: /lucid-ops\/nightly is suspended/,
  },
  {
    id: "sidecar-first",
    title: "a pod without a sidecar",
    make: (cluster) => {
      field(find(cluster, "Pod", POD), "spec").initContainers = [];
    },
    says: /lucid-ops\/admin-ui-0/,
  },
  {
    id: "sidecar-first",
    title: "something that starts before it",
    make: (cluster) => {
      field<object[]>(find(cluster, "Pod", POD), "spec", "initContainers").unshift({
        name: "before",
        image: "busybox:1.35.0",
      });
    },
    says: /lucid-ops\/admin-ui-0/,
  },
  {
    id: "sidecar-image",
    title: "another Envoy",
    make: (cluster) => {
      field(find(cluster, "Pod", POD), "spec", "initContainers", 0).image = "envoyproxy/envoy:v1.20.0";
    },
    says: /admin-ui-0 runs envoyproxy\/envoy:v1\.20\.0/,
  },
  {
    id: "sidecar-image",
    title: "another gate",
    make: (cluster) => {
      field(find(cluster, "Pod", POD), "spec", "initContainers", 1).image =
        "registry.lucid.internal/lucid/start-gate-2:1.0.0";
    },
    says: /admin-ui-0 gates by registry\.lucid\.internal\/lucid\/start-gate-2/,
  },
  {
    id: "pods-scheduled",
    title: "a pod for which there is no room",
    make: (cluster) => {
      Object.assign(field(find(cluster, "Pod", POD), "status", "conditions", 0), {
        status: "False",
        message: "0/1 nodes: Insufficient cpu",
      });
    },
    says: /lucid-ops\/admin-ui-0: 0\/1 nodes: Insufficient cpu/,
  },
  {
    id: "pods-start",
    title: "an image that can't be pulled",
    make: (cluster) => {
      statusOf(cluster, "app").state = { waiting: { reason: "ImagePullBackOff", message: "Back-off pulling image" } };
    },
    says: /admin-ui-0 app: ImagePullBackOff, Back-off pulling image/,
  },
  {
    id: "sidecar-restarts",
    title: "a sidecar that was restarted",
    make: (cluster) => {
      Object.assign(statusOf(cluster, "init"), {
        restartCount: 2,
        lastState: { terminated: { exitCode: 139, reason: "Error", finishedAt: now() } },
      });
    },
    status: "warning",
    says: /admin-ui-0 sidecar: 2 times, last by Error \(status 139\)/,
  },
  {
    id: "oom-kills",
    title: "an application that wanted more memory",
    make: (cluster) => {
      statusOf(cluster, "app").lastState = { terminated: { exitCode: 137, reason: "OOMKilled", finishedAt: now() } };
    },
    says: /lucid-ops\/admin-ui-0 app/,
  },
  {
    id: "ephemeral-containers",
    title: "a shell in a pod",
    make: (cluster) => {
      field(find(cluster, "Pod", POD), "spec").ephemeralContainers = [{ name: "debugger" }];
    },
    says: /somebody is in these pods\nlucid-ops\/admin-ui-0 debugger/,
  },
  {
    id: "ephemeral-containers",
    title: "a shell that was in a pod",
    make: (cluster) => {
      const pod = find(cluster, "Pod", POD);
      field(pod, "spec").ephemeralContainers = [{ name: "debugger" }];
      field(pod, "status").ephemeralContainerStatuses = [{ name: "debugger", state: { terminated: { exitCode: 0 } } }];
    },
    status: "warning",
    says: /somebody was in these pods/,
  },
]);
