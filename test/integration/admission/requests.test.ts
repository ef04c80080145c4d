import assert from "node:assert/strict";
import { edit } from "../../policies/support/edit";
import type { Json, JsonObject } from "../../policies/support/edit";
import type { Manifest } from "./api";
import { Refusal } from "./api";
import { assertRefused, Lab, planned, plannedObjects } from "./lab";

const CONTROLLER = "system:serviceaccount:lucid-mesh:mesh-controller";
const WALLET = "lucid-wallet";
const NAME = "app.kubernetes.io/name";

/** What the namespaces' Pod Security lets be by itself. */
const RESTRICTED = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

interface Template {
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
}

/** A pod as a controller makes it from a planned workload. */
async function podOf(kind: string, namespace: string, name: string, owner?: JsonObject): Promise<Manifest> {
  const { spec } = (await planned(kind, namespace, name)) as unknown as { spec: { template: Template } };
  const { metadata, spec: pod } = spec.template;
  const ownerReferences = owner === undefined ? {} : { ownerReferences: [owner] };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, ...ownerReferences, generateName: `${name}-`, namespace },
    spec: pod,
  };
}

/** What people and programs ask for besides changing what is there. */
describe("admission of requests", function () {
  this.timeout(300_000);
  let lab: Lab;
  let pod: Manifest & { metadata: { name: string } };

  before(async () => {
    lab = await Lab.start();
    for (const object of await plannedObjects()) await lab.apply(object);
    pod = (await lab.create(await podOf("Deployment", WALLET, "payout-router"))) as typeof pod;
  });
  after(() => lab.stop());

  const podPath = () => `/api/v1/namespaces/${WALLET}/pods/${pod.metadata.name}`;
  const strategic = (path: string, body: unknown, user?: string) =>
    lab.ask({ method: "PATCH", path, body, contentType: "application/strategic-merge-patch+json", user });

  describe("pods", () => {
    for (const [kind, namespace, name] of [
      ["Deployment", "lucid-ops", "admin-ui"],
      ["Deployment", "lucid-ops", "prometheus"],
      ["Deployment", "lucid-mesh", "mesh-controller"],
      ["DaemonSet", "lucid-mesh", "node-resolver"],
    ] as const) {
      it(`lets a controller make those of ${kind} ${name}`, async () => {
        await lab.create(await podOf(kind, namespace, name));
      });
    }

    it("lets a ReplicaSet be made and scaled", async () => {
      const { metadata, spec } = (await planned("Deployment", WALLET, "payout-router")) as unknown as {
        metadata: JsonObject;
        spec: { template: Template; selector: JsonObject };
      };
      const name = "payout-router-6d4cf56db6";
      const set = {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        metadata: { ...metadata, name },
        spec: { replicas: 1, selector: spec.selector, template: spec.template },
      } as unknown as Manifest;
      await lab.create(set);
      await lab.apply({ ...set, spec: { ...(set.spec as JsonObject), replicas: 0 } });
    });

    it("refuses a stranger without a sidecar", async () => {
      const stranger: Manifest = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "stranger", namespace: WALLET },
        spec: {
          serviceAccountName: "payout-router",
          containers: [{ name: "app", image: "fortio/fortio:1.66.2", securityContext: RESTRICTED }],
        },
      };
      await assert.rejects(
        lab.create(stranger),
        /ValidatingAdmissionPolicy 'lucid-(members|sidecars|sidecar-files|pod-security)'/,
      );
      // Elsewhere it is nobody's business.
      const account = {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "payout-router", namespace: "default" },
      };
      await lab.create(account);
      await lab.create({ ...stranger, metadata: { name: "stranger", namespace: "default" } });
    });

    it("refuses the node's network in what makes pods", async () => {
      const deployment = (await planned("Deployment", WALLET, "payout-router")) as JsonObject;
      const plain = edit(deployment, "spec.template.spec.securityContext", { runAsNonRoot: true });
      await lab.apply(plain);
      await assertRefused(
        lab.apply(edit(plain, "spec.template.spec.hostNetwork", true)),
        "lucid-pod-security",
        /node's network/,
      );
    });

    it("refuses a workload under another name than its service's", async () => {
      const deployment = (await planned("Deployment", WALLET, "payout-router")) as JsonObject;
      const renamed = (name: string) => lab.create(edit(deployment, "metadata.name", name));
      await assertRefused(renamed("payouts"), "lucid-members", /does not bear the name of its service/);
      await renamed("payout-router-1.0.0");
    });

    it("refuses a changed label, by way of the pod and of its status", async () => {
      const labels = { metadata: { labels: { [NAME]: "tron-payment" } } };
      for (const path of [podPath(), `${podPath()}/status`]) {
        await assertRefused(strategic(path, labels), "lucid-members", /something else/);
        await strategic(path, { metadata: { labels: { "example.org/note": "x" } } });
      }
    });

    it("refuses another image in a running pod", async () => {
      const image = (name: string) => strategic(podPath(), { spec: { containers: [{ name: "app", image: name }] } });
      await assertRefused(image("busybox:1.35.0"), "lucid-images", /busybox/);
      await image("fortio/fortio:1.66.3");
    });

    it("refuses ephemeral containers", async () => {
      const body = {
        spec: { ephemeralContainers: [{ name: "shell", image: "fortio/fortio:1.66.2", securityContext: RESTRICTED }] },
      };
      await assertRefused(
        strategic(`${podPath()}/ephemeralcontainers`, body),
        "lucid-ephemeral-containers",
        /would call as the pod's service/,
      );
    });

    it("refuses a process in the sidecar, and lets one be in the application", async () => {
      const exec = (container: string) =>
        lab.ask({ method: "POST", path: `${podPath()}/exec?container=${container}&command=cat&stdout=true` });
      await assertRefused(exec("sidecar"), "lucid-exec", /private key/);
      // There is no node here: it fails where the node would be asked.
      await assert.rejects(exec("app"), (error: unknown) => error instanceof Refusal && /host/.test(error.message));
    });
  });

  describe("NetworkPolicies", () => {
    const deny = () => planned("NetworkPolicy", WALLET, "default-deny");

    it("refuses the removal of a default deny, alone and with all others, and lets that of a service's be", async () => {
      const all = `/apis/networking.k8s.io/v1/namespaces/${WALLET}/networkpolicies`;
      await assertRefused(lab.remove(await deny()), "lucid-kept", /take the pods away first/);
      await lab.remove(await planned("NetworkPolicy", WALLET, "tron-payment"));
      await assertRefused(lab.ask({ method: "DELETE", path: all }), "lucid-kept", /take the pods away first/);
      for (const object of await plannedObjects()) if (object.kind === "NetworkPolicy") await lab.apply(object);
    });

    it("lets it go where nothing runs", async () => {
      const edge = await planned("NetworkPolicy", "lucid-edge", "default-deny");
      await lab.remove(edge);
      await lab.apply(edge);
    });

    it("refuses a further policy that opens everything, and lets one be that opens nothing", async () => {
      const policy = (spec: JsonObject): Manifest => ({
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "more", namespace: WALLET },
        spec,
      });
      await assertRefused(lab.create(policy({ podSelector: {}, ingress: [{}] })), "lucid-network", /one member/);
      await lab.create(policy({ podSelector: {}, policyTypes: ["Ingress"] }));
    });
  });

  describe("kinds", () => {
    const object = (apiVersion: string, kind: string, rest: JsonObject, namespace = WALLET): Manifest => ({
      apiVersion,
      kind,
      metadata: { name: "payout-router-x", namespace },
      ...rest,
    });
    const backend = { service: { name: "x", port: { number: 80 } } };
    const UNMODELLED: readonly (readonly [string, string, JsonObject])[] = [
      ["networking.k8s.io/v1", "Ingress", { spec: { defaultBackend: backend } }],
      [
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        { spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "x" } } },
      ],
      ["v1", "PodTemplate", { template: { spec: { containers: [{ name: "app", image: "fortio/fortio:1.66.2" }] } } }],
    ];
    for (const [apiVersion, kind, rest] of UNMODELLED) {
      it(`refuses a ${kind}, and lets it be in other namespaces`, async () => {
        await assertRefused(lab.create(object(apiVersion, kind, rest)), "lucid-kinds", new RegExp(`models a ${kind}`));
        await lab.create(object(apiVersion, kind, rest, "default"));
      });
    }

    for (const [apiVersion, kind, rest] of [
      ["v1", "ConfigMap", { data: { a: "1" } }],
      ["coordination.k8s.io/v1", "Lease", { spec: {} }],
      ["policy/v1", "PodDisruptionBudget", { spec: { maxUnavailable: 1 } }],
    ] as const) {
      it(`lets a ${kind} be`, async () => {
        await lab.create(object(apiVersion, kind, rest));
      });
    }

    it("refuses endpoints that somebody writes, and lets Kubernetes write them", async () => {
      const slice = object("discovery.k8s.io/v1", "EndpointSlice", { addressType: "IPv4", endpoints: [] });
      await assertRefused(lab.create(slice), "lucid-endpoints", /own controllers alone/);
      await grantAll("system:serviceaccount:kube-system:endpointslice-controller");
      await lab.create(slice, "system:serviceaccount:kube-system:endpointslice-controller");
    });

    it("refuses a ClusterRole inside a zone, and a stranger's ServiceAccount", async () => {
      const binding = (kind: string, name: string) =>
        object("rbac.authorization.k8s.io/v1", "RoleBinding", {
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
          subjects: [{ kind: "User", name: "somebody", apiGroup: "rbac.authorization.k8s.io" }],
        });
      await assertRefused(lab.create(binding("ClusterRole", "admin")), "lucid-role-bindings", /write a Role/);
      await lab.create(binding("Role", "lucid-pod-reader"));
      const account = (name: string): Manifest => ({
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name, namespace: WALLET },
      });
      await assertRefused(lab.create(account("stranger")), "lucid-accounts", /no member's/);
      await lab.create(account("default"));
    });

    it("refuses a namespace lucid-* that is no zone's", async () => {
      const namespace = (name: string): Manifest => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
      await assertRefused(lab.create(namespace("lucid-test")), "lucid-zones", /those of the zones/);
      await lab.create(namespace("lucidity"));
    });
  });

  describe("tokens", () => {
    const request = (spec: Json) => ({
      method: "POST" as const,
      path: `/api/v1/namespaces/${WALLET}/serviceaccounts/payout-router/token`,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec },
    });

    it("refuses one of the mesh that names no pod, and lets it be for a pod, or for something else", async () => {
      const audiences = ["mesh.lucid.internal"];
      await assertRefused(lab.ask(request({ audiences, expirationSeconds: 600 })), "lucid-tokens", /bound to no pod/);
      const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: pod.metadata.name };
      await lab.ask(request({ audiences, expirationSeconds: 600, boundObjectRef }));
      await lab.ask(request({ audiences: ["example.org"], expirationSeconds: 600 }));
    });
  });

  describe("the controller", () => {
    it("may annotate pods, and change nothing else of them", async () => {
      const status = `${podPath()}/status`;
      await strategic(status, { metadata: { annotations: { "lucid.internal/distributed": "abc" } } }, CONTROLLER);
      await strategic(status, { metadata: { annotations: { "lucid.internal/distributed": "abd" } } }, CONTROLLER);
      const changes: readonly JsonObject[] = [
        { metadata: { annotations: { "lucid.internal/other": "x" } } },
        { metadata: { labels: { "example.org/note": "y" } } },
        { status: { podIP: "10.1.2.3", podIPs: [{ ip: "10.1.2.3" }] } },
        { status: { conditions: [{ type: "Ready", status: "True" }] } },
      ];
      for (const change of changes) {
        await assertRefused(strategic(status, change, CONTROLLER), "lucid-distributed-pods", /nothing of a pod but/);
      }
      // Whoever runs the pod says how it is.
      await strategic(status, { status: { conditions: [{ type: "Ready", status: "True" }] } });
    });

    it("may make the ConfigMap of token keys, and no other", async () => {
      const map = (name: string, data: JsonObject): Manifest => ({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace: WALLET },
        data,
      });
      await lab.create(map("mesh-tokens", { "tokens.yaml": "resources: []" }), CONTROLLER);
      for (const other of [map("payout-router-more", { a: "b" }), map("stray", { "tokens.yaml": "" })]) {
        await assertRefused(lab.create(other, CONTROLLER), "lucid-distributed-files", /no ConfigMap but mesh-tokens/);
      }
    });
  });

  /** Rights are not what is tried here. */
  async function grantAll(user: string): Promise<void> {
    await lab.ask({
      method: "POST",
      path: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
      body: {
        metadata: { name: `test-${user.split(":").at(-1) ?? ""}` },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
        subjects: [{ kind: "User", name: user, apiGroup: "rbac.authorization.k8s.io" }],
      },
    });
  }
});
