import { add, describeFaults, field, find, remove } from "./faults";
import type { RecordedCluster } from "./recorded-cluster";

const REGISTRATION = "admissionregistration.k8s.io/v1";
const POLICY = "ValidatingAdmissionPolicy";
const BINDING = "ValidatingAdmissionPolicyBinding";

/** An injector that is asked about pods. */
function injector(cluster: RecordedCluster, namespaceSelector: object, resources = ["pods"]): void {
  const rules = [{ apiGroups: [""], resources, operations: ["CREATE"] }];
  add(cluster, REGISTRATION, "MutatingWebhookConfiguration", "injector", {
    webhooks: [{ name: "inject.example.org", namespaceSelector, rules }],
  });
}

describeFaults("admission", [
  {
    id: "mutating-webhooks",
    title: "an injector of all namespaces",
    make: (cluster) => {
      injector(cluster, {});
    },
    status: "warning",
    says: /injector, inject\.example\.org: in 5 of the zones' namespaces/,
  },
  {
    id: "mutating-webhooks",
    title: "an injector that leaves one zone out",
    make: (cluster) => {
      injector(cluster, { matchExpressions: [{ key: "lucid.internal/zone", operator: "NotIn", values: ["wallet"] }] }, [
        "*/*",
      ]);
    },
    status: "warning",
    says: /in 4 of the zones' namespaces/,
  },
  {
    id: "namespace-labels",
    title: "a namespace that enforces another level",
    make: (cluster) => {
      const labels = field<Record<string, string>>(find(cluster, "Namespace", "lucid-wallet"), "metadata", "labels");
      labels["pod-security.kubernetes.io/enforce"] = "privileged";
    },
    says: /Namespace lucid-wallet: metadata\.labels\.pod-security\.kubernetes\.io\/enforce is "privileged", not "restricted"/,
  },
  {
    id: "pod-security-enforced",
    title: "a zone that lets a privileged pod in",
    make: (cluster) => {
      const { refusal } = cluster;
      cluster.refusal = (path, object) => (path.includes("/lucid-wallet/") ? undefined : refusal(path, object));
    },
    says: /lucid-wallet would let it in/,
  },
  {
    id: "pod-security-enforced",
    title: "a refusal for another reason",
    make: (cluster) => {
      cluster.refusal = () => "exceeded quota";
    },
    status: "skipped",
    says: /another reason: exceeded quota/,
  },
  {
    id: "admission-policies",
    title: "a policy that is missing",
    make: (cluster) => {
      remove(cluster, POLICY, "lucid-network");
    },
    says: /ValidatingAdmissionPolicy lucid-network is missing/,
  },
  {
    id: "admission-policies",
    title: "an expression that says less",
    make: (cluster) => {
      field(find(cluster, POLICY, "lucid-network"), "spec", "validations", 0).expression = "true";
    },
    says: /lucid-network: spec\.validations\[0\]\.expression is "true"/,
  },
  {
    id: "admission-policies",
    title: "a condition more, by which it judges less",
    make: (cluster) => {
      const spec = field(find(cluster, POLICY, "lucid-ephemeral-containers"), "spec");
      spec.matchConditions = [
        ...((spec.matchConditions as object[] | undefined) ?? []),
        { name: "never", expression: "false" },
      ];
    },
    says: /lucid-ephemeral-containers: spec\.matchConditions.* is not declared/,
  },
  {
    id: "admission-bindings",
    title: "a binding that only warns",
    make: (cluster) => {
      field(find(cluster, BINDING, "lucid-network"), "spec").validationActions = ["Audit"];
    },
    says: /lucid-network: spec\.validationActions\[0\] is "Audit", not "Deny"/,
  },
  {
    id: "admission-bindings",
    title: "a binding that looks at fewer objects",
    make: (cluster) => {
      field(find(cluster, BINDING, "lucid-network"), "spec").matchResources = {
        namespaceSelector: { matchLabels: { watched: "yes" } },
      };
    },
    says: /lucid-network: spec\.matchResources\.namespaceSelector\.matchLabels\.watched is "yes", which is not declared/,
  },
  {
    id: "admission-types",
    title: "an expression that does not fit",
    make: (cluster) => {
      find(cluster, POLICY, "lucid-network").status = {
        typeChecking: {
          expressionWarnings: [{ fieldRef: "spec.validations[0].expression", warning: "undefined field 'x'\nmore" }],
        },
      };
    },
    says: /lucid-network spec\.validations\[0\]\.expression: undefined field 'x'$/m,
  },
  {
    id: "admission-in-force",
    title: "an API server with another generation",
    make: (cluster) => {
      cluster.refusal = () =>
        "the mesh's admission policies of generation 0123456789abcdef are in force; nothing has this name";
    },
    says: /planned is generation [0-9a-f]{16}; it says: .*0123456789abcdef/,
  },
  {
    id: "admission-in-force",
    title: "an API server that refuses nothing",
    make: (cluster) => {
      cluster.refusal = () => undefined;
    },
    says: /lets in what the policies always refuse/,
  },
  {
    id: "admission-unknown",
    title: "a policy that was left behind",
    make: (cluster) => {
      add(cluster, REGISTRATION, POLICY, "lucid-old", { spec: {} });
      add(cluster, REGISTRATION, POLICY, "of-others", { spec: {} });
    },
    status: "warning",
    says: /there are others\nValidatingAdmissionPolicy lucid-old$/,
  },
]);
