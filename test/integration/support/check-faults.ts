/** What is made wrong on the deployed mesh by hand, for `mesh check` to find. */
import { AdmissionregistrationV1Api, RbacAuthorizationV1Api } from "@kubernetes/client-node";
import { withoutAdmission } from "./admission";
import { pauseRepairs, resumeRepairs } from "./drift";
import { apps, core, kubeConfig, mergePatch, networking } from "./cluster";
import { shell } from "./tester";

const WALLET = "lucid-wallet";
const NAME = "by-hand";
const rbac = kubeConfig.makeApiClient(RbacAuthorizationV1Api);
const admission = kubeConfig.makeApiClient(AdmissionregistrationV1Api);

/** Something that is made wrong by hand, and put back. */
export interface Fault {
  readonly title: string;
  readonly ids: readonly string[];
  readonly says: RegExp;
  readonly make: () => Promise<unknown>;
  readonly undo: () => Promise<unknown>;
}

export const FAULTS: readonly Fault[] = [
  {
    title: "a NetworkPolicy that opens a zone",
    ids: ["network-policies-unknown", "reachability"],
    says: /lucid-wallet\/by-hand/,
    make: async () => {
      await pauseRepairs();
      await withoutAdmission(() =>
        networking.createNamespacedNetworkPolicy({
          namespace: WALLET,
          body: { metadata: { name: NAME }, spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] } },
        }),
      );
    },
    undo: async () => {
      await networking.deleteNamespacedNetworkPolicy({ namespace: WALLET, name: NAME });
      await resumeRepairs();
    },
  },
  {
    title: "a NodePort",
    ids: ["no-ways-in"],
    says: /Service lucid-wallet\/by-hand is a NodePort/,
    make: () =>
      withoutAdmission(() =>
        core.createNamespacedService({
          namespace: WALLET,
          body: {
            metadata: { name: NAME },
            spec: { type: "NodePort", selector: { none: "such" }, ports: [{ port: 80 }] },
          },
        }),
      ),
    undo: () => core.deleteNamespacedService({ namespace: WALLET, name: NAME }),
  },
  {
    title: "an account and rights of nobody",
    ids: ["accounts", "roles-unknown"],
    says: /(ServiceAccount|RoleBinding) lucid-wallet\/by-hand/,
    make: async () => {
      await withoutAdmission(() =>
        core.createNamespacedServiceAccount({ namespace: WALLET, body: { metadata: { name: NAME } } }),
      );
      await withoutAdmission(() =>
        rbac.createNamespacedRoleBinding({
          namespace: WALLET,
          body: {
            metadata: { name: NAME },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
            subjects: [{ kind: "ServiceAccount", name: NAME, namespace: WALLET }],
          },
        }),
      );
    },
    undo: async () => {
      await rbac.deleteNamespacedRoleBinding({ namespace: WALLET, name: NAME });
      await core.deleteNamespacedServiceAccount({ namespace: WALLET, name: NAME });
    },
  },
  {
    title: "a service with rights in the whole cluster",
    ids: ["cluster-rights"],
    says: /lucid-by-hand gives view to lucid-wallet\/payout-router/,
    make: () =>
      rbac.createClusterRoleBinding({
        body: {
          metadata: { name: `lucid-${NAME}` },
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
          subjects: [{ kind: "ServiceAccount", name: "payout-router", namespace: WALLET }],
        },
      }),
    undo: () => rbac.deleteClusterRoleBinding({ name: `lucid-${NAME}` }),
  },
  {
    title: "an admission policy that only notes",
    ids: ["admission-bindings"],
    says: /lucid-tokens: spec\.validationActions\[0\] is "Audit", not "Deny"/,
    make: async () => {
      await pauseRepairs();
      await setAction("lucid-tokens", "Audit");
    },
    undo: async () => {
      await setAction("lucid-tokens", "Deny");
      await resumeRepairs();
    },
  },
  {
    title: "a namespace that enforces nothing",
    ids: ["namespace-labels", "pod-security-enforced"],
    says: /lucid-wallet/,
    make: () => withoutAdmission(() => setLevel("privileged")),
    undo: () => setLevel("restricted"),
  },
  {
    title: "a changed file of a sidecar",
    ids: ["sidecar-files"],
    says: /payout-router-envoy: data\.listeners\.yaml, line \d+, is "# by hand"/,
    make: async () => {
      const { data } = await core.readNamespacedConfigMap({ namespace: WALLET, name: "payout-router-envoy" });
      await setFile("payout-router-envoy", "listeners.yaml", `${data?.["listeners.yaml"] ?? ""}# by hand\n`);
    },
    undo: async () => {
      const { data } = await core.readNamespacedConfigMap({ namespace: WALLET, name: "payout-router-envoy" });
      await setFile(
        "payout-router-envoy",
        "listeners.yaml",
        (data?.["listeners.yaml"] ?? "").replace("# by hand\n", ""),
      );
    },
  },
  {
    title: "a sidecar that is given a zone more to trust",
    ids: ["trust-scope"],
    says: /lucid-wallet\/payout-router-trust has .*edge\.yaml/,
    make: async () => {
      const { data } = await core.readNamespacedConfigMap({ namespace: WALLET, name: "payout-router-trust" });
      await setFile("payout-router-trust", "edge.yaml", data?.["wallet.yaml"] ?? "");
    },
    undo: () => setFile("payout-router-trust", "edge.yaml", null),
  },
  {
    title: "a copy of a service's key",
    ids: ["keys-elsewhere"],
    says: /Secret default\/by-hand, some\.key: the key of payout-router/,
    make: async () => {
      const { data } = await core.readNamespacedSecret({ namespace: WALLET, name: "payout-router-tls" });
      const body = { metadata: { name: NAME }, data: { "some.key": data?.["tls.key"] ?? "" } };
      await core.createNamespacedSecret({ namespace: "default", body });
    },
    undo: () => core.deleteNamespacedSecret({ namespace: "default", name: NAME }),
  },
  {
    title: "a pod that was made by hand",
    ids: ["pods-unknown"],
    says: /lucid-wallet\/by-hand bears the name none/,
    make: () =>
      withoutAdmission(() =>
        core.createNamespacedPod({
          namespace: WALLET,
          body: {
            metadata: { name: NAME },
            spec: { automountServiceAccountToken: false, containers: [shell("shell")] },
          },
        }),
      ),
    undo: () => core.deleteNamespacedPod({ namespace: WALLET, name: NAME, gracePeriodSeconds: 0 }),
  },
  {
    title: "a service that was scaled away",
    ids: ["workloads-ready", "workloads"],
    says: /lucid-wallet\/tron-payment(: spec\.replicas is 0, not 1| is scaled to 0, not to 1)/,
    make: () => scale("tron-payment", WALLET, 0),
    undo: () => scale("tron-payment", WALLET, 1),
  },
  {
    title: "a controller that is away",
    ids: ["controller-health"],
    says: /no pod of it is ready/,
    make: () => scale("mesh-controller", "lucid-mesh", 0),
    undo: () => scale("mesh-controller", "lucid-mesh", 2),
  },
];

async function setAction(name: string, action: "Audit" | "Deny"): Promise<void> {
  await admission.patchValidatingAdmissionPolicyBinding(
    { name, body: { spec: { validationActions: [action] } } },
    mergePatch,
  );
}

async function setLevel(level: string): Promise<void> {
  const body = { metadata: { labels: { "pod-security.kubernetes.io/enforce": level } } };
  await core.patchNamespace({ name: WALLET, body }, mergePatch);
}

/** Writes a file of a ConfigMap; null takes it away. */
async function setFile(name: string, file: string, text: string | null): Promise<void> {
  await core.patchNamespacedConfigMap({ namespace: WALLET, name, body: { data: { [file]: text } } }, mergePatch);
}

async function scale(name: string, namespace: string, replicas: number): Promise<void> {
  await apps.patchNamespacedDeploymentScale({ name, namespace, body: { spec: { replicas } } }, mergePatch);
}
