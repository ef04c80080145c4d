/** What is refused of an object that was planned, each beside a change of the same place that is allowed. */
import type { Json } from "../../policies/support/edit";

/** An object of Lucid's plan, by kind, namespace and name. */
export type PlannedName = readonly [kind: string, namespace: string, name: string];

export interface Violation {
  readonly title: string;
  readonly of: PlannedName;
  /** Place that is changed. */
  readonly path: string;
  /** What is refused there; undefined takes the field away. */
  readonly refused: Json | undefined;
  /** What is allowed there; absent: what is planned. */
  readonly allowed?: Json;
  /** Name of the policy that refuses, as a regular expression. */
  readonly policy: string;
  readonly says: RegExp;
}

const ROUTER: PlannedName = ["Deployment", "lucid-wallet", "payout-router"];
const ADMIN: PlannedName = ["Deployment", "lucid-ops", "admin-ui"];
const CONSUL: PlannedName = ["StatefulSet", "lucid-mesh", "consul"];
const NETWORK: PlannedName = ["NetworkPolicy", "lucid-chain", "lucid-blocks"];
const DENY: PlannedName = ["NetworkPolicy", "lucid-chain", "default-deny"];
const SERVICE: PlannedName = ["Service", "lucid-mesh", "consul"];
const ROLE: PlannedName = ["Role", "lucid-ops", "lucid-distributor"];
const BINDING: PlannedName = ["RoleBinding", "lucid-ops", "lucid-distributor"];
const ZONE: PlannedName = ["Namespace", "", "lucid-wallet"];

const POD = "spec.template.spec";
const LABELS = "spec.template.metadata.labels";
const INIT = `${POD}.initContainers`;
const APP = `${POD}.containers[0]`;
const NAME = "app.kubernetes.io/name";
const PSS = "pod-security.kubernetes.io";

const peer = (zone: string, name: string): Json => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `lucid-${zone}` } },
  podSelector: { matchLabels: { [NAME]: name } },
});
const from = "spec.ingress[0].from";

const network: readonly Violation[] = [
  {
    title: "a caller of another plane that is not declared",
    of: NETWORK,
    path: `${from}[0]`,
    refused: peer("wallet", "tron-payment"),
    allowed: peer("wallet", "payout-router"),
    policy: "lucid-network",
    says: /chain\/lucid-blocks lets in wallet\/tron-payment on 15001\/TCP, whom the mesh's document does not declare/,
  },
  {
    title: "every caller",
    of: NETWORK,
    path: from,
    refused: undefined,
    allowed: [peer("ops", "admin-ui")],
    policy: "lucid-network",
    says: /a rule opens the pods to everyone/,
  },
  {
    title: "a whole namespace",
    of: NETWORK,
    path: `${from}[0].podSelector`,
    refused: undefined,
    policy: "lucid-network",
    says: /not selected as one member/,
  },
  {
    title: "a name in every namespace",
    of: NETWORK,
    path: `${from}[0].namespaceSelector`,
    refused: undefined,
    policy: "lucid-network",
    says: /not selected as one member/,
  },
  {
    title: "the controller's live canary, which is let out and in nowhere",
    of: NETWORK,
    path: "spec.ingress[1].ports[0].port",
    refused: 15021,
    allowed: 15090,
    policy: "lucid-network",
    says: /lets in (ops\/prometheus|mesh\/mesh-controller) on 15021\/TCP/,
  },
  {
    title: "another than the controller to the live canary",
    of: ["NetworkPolicy", "lucid-ops", "prometheus"],
    path: "spec.egress[2].ports[0].port",
    refused: 15021,
    allowed: 15090,
    policy: "lucid-network",
    says: /prometheus lets out to .* on 15021\/TCP/,
  },
  {
    title: "addresses",
    of: NETWORK,
    path: `${from}[0]`,
    refused: { ipBlock: { cidr: "10.1.2.3/32" } },
    policy: "lucid-network",
    says: /lets in 10\.1\.2\.3\/32/,
  },
  {
    title: "every sidecar of a zone to a service",
    of: NETWORK,
    path: `${from}[0].podSelector.matchLabels`,
    refused: { "lucid.internal/meshed": "true" },
    policy: "lucid-network",
    says: /lets in (ops|wallet)\/\* on 15001\/TCP/,
  },
  {
    title: "a port besides the sidecar's",
    of: NETWORK,
    path: "spec.ingress[0].ports[0].port",
    refused: 8080,
    allowed: 15001,
    policy: "lucid-network",
    says: /on 8080\/TCP/,
  },
  {
    title: "a range of ports",
    of: NETWORK,
    path: "spec.ingress[0].ports[0].endPort",
    refused: 15100,
    policy: "lucid-network",
    says: /a range/,
  },
  {
    title: "every port",
    of: NETWORK,
    path: "spec.ingress[0].ports",
    refused: undefined,
    policy: "lucid-network",
    says: /opens every port/,
  },
  {
    title: "pods of two members",
    of: NETWORK,
    path: "spec.podSelector",
    refused: { matchExpressions: [{ key: NAME, operator: "In", values: ["lucid-blocks"] }] },
    allowed: { matchLabels: { [NAME]: "lucid-blocks" } },
    policy: "lucid-network",
    says: /does not select as one member/,
  },
  {
    title: "a way out to a callee that is not declared",
    of: NETWORK,
    path: "spec.egress[0].to[0]",
    refused: peer("wallet", "payout-router"),
    policy: "lucid-network",
    says: /lets out to wallet\/payout-router/,
  },
  {
    title: "a way out to the API server for a service",
    of: NETWORK,
    path: "spec.egress[0]",
    refused: { to: [{ ipBlock: { cidr: "10.77.0.10/32" } }], ports: [{ protocol: "TCP", port: 6443 }] },
    policy: "lucid-network",
    says: /lets out to 10\.77\.0\.10\/32 on 6443\/TCP/,
  },
  {
    title: "a wider range than the API server's",
    of: ["NetworkPolicy", "lucid-mesh", "mesh-controller"],
    path: "spec.egress[4].to[0].ipBlock.cidr",
    refused: "10.77.0.0/24",
    allowed: "10.77.0.10/32",
    policy: "lucid-network",
    says: /10\.77\.0\.0\/24/,
  },
  {
    title: "an opened default deny",
    of: DENY,
    path: "spec.ingress",
    refused: [{ from: [peer("ops", "admin-ui")], ports: [{ port: 15001 }] }],
    policy: "lucid-network",
    says: /default-deny must select every pod/,
  },
  {
    title: "a default deny of one direction",
    of: DENY,
    path: "spec.policyTypes",
    refused: ["Ingress"],
    allowed: ["Egress", "Ingress"],
    policy: "lucid-network",
    says: /in both directions/,
  },
  {
    title: "a default deny of some pods",
    of: DENY,
    path: "spec.podSelector",
    refused: { matchLabels: { [NAME]: "lucid-blocks" } },
    policy: "lucid-network",
    says: /select every pod/,
  },
];

const members: readonly Violation[] = [
  {
    title: "another service's name on pods",
    of: ADMIN,
    path: "spec.template.metadata.labels",
    refused: {
      [NAME]: "admin-ui",
      "app.kubernetes.io/part-of": "lucid-mesh",
      "lucid.internal/zone": "wallet",
      "lucid.internal/meshed": "true",
    },
    policy: "lucid-members",
    says: /policies would take it for something else/,
  },
  {
    title: "a ServiceAccount of another zone's member",
    of: ADMIN,
    path: `${POD}.serviceAccountName`,
    refused: "payout-router",
    allowed: "admin-ui",
    // Its files and images are not that one's either; which policy speaks first is the API server's to choose.
    policy: "lucid-(members|images|sidecar-files)",
    says: /not a member of zone ops|names for ops\/payout-router|not its (service's own|identity token)/,
  },
  {
    title: "pods that the controller would not see",
    of: ADMIN,
    path: `${LABELS}["lucid.internal/meshed"]`,
    refused: undefined,
    policy: "lucid-members",
    says: /lucid\.internal\/meshed/,
  },
  {
    title: "Consul's pods as if they had a sidecar",
    of: CONSUL,
    path: `${LABELS}["lucid.internal/meshed"]`,
    refused: "true",
    policy: "lucid-members",
    says: /lucid\.internal\/meshed/,
  },
  {
    title: "lasting pods that are labelled as a Job's",
    of: ADMIN,
    path: `${LABELS}["lucid.internal/completes"]`,
    refused: "true",
    policy: "lucid-members",
    says: /lucid\.internal\/completes/,
  },
];

const sidecars: readonly Violation[] = [
  {
    title: "no sidecar",
    of: ROUTER,
    path: INIT,
    refused: undefined,
    policy: "lucid-sidecars",
    says: /has no sidecar; attach one/,
  },
  {
    title: "a sidecar of another image",
    of: ROUTER,
    path: `${INIT}[0].image`,
    refused: "envoyproxy/envoy-dev:v1.40.0",
    allowed: "docker.io/envoyproxy/envoy:v1.40.1",
    policy: "lucid-sidecars",
    says: /has no sidecar/,
  },
  {
    title: "a sidecar of a version that moves",
    of: ROUTER,
    path: `${INIT}[0].image`,
    refused: "envoyproxy/envoy:v1",
    allowed: `envoyproxy/envoy@sha256:${"0a".repeat(32)}`,
    policy: "lucid-sidecars",
    says: /Envoy's image by exact version/,
  },
  {
    title: "a sidecar with a bootstrap of its own",
    of: ROUTER,
    path: `${INIT}[0].args[1]`,
    refused: "/tmp/bootstrap.yaml",
    policy: "lucid-sidecars",
    says: /does not start from its own files/,
  },
  {
    title: "a sidecar that ignores misspelt fields",
    of: ROUTER,
    path: `${INIT}[0].args`,
    refused: ["--config-path", "/etc/envoy/config/bootstrap.yaml"],
    allowed: ["--config-path", "/etc/envoy/config/bootstrap.yaml", "--reject-unknown-dynamic-fields"],
    policy: "lucid-sidecars",
    says: /reject-unknown-dynamic-fields/,
  },
  {
    title: "a sidecar with configuration on its command line",
    of: ROUTER,
    path: `${INIT}[0].args`,
    refused: [
      "--config-path",
      "/etc/envoy/config/bootstrap.yaml",
      "--reject-unknown-dynamic-fields",
      "--config-yaml",
      "{}",
    ],
    policy: "lucid-sidecars",
    says: /no option that replaces or extends/,
  },
  {
    title: "a library that is loaded into the sidecar",
    of: ROUTER,
    path: `${INIT}[0].env`,
    refused: [{ name: "LD_PRELOAD", value: "/tmp/x.so" }],
    allowed: [{ name: "PRELOADED", value: "no" }],
    policy: "lucid-sidecars",
    says: /none that begins with LD_/,
  },
  {
    title: "a start gate that runs something else",
    of: ROUTER,
    path: `${INIT}[1].command`,
    refused: ["true"],
    policy: "lucid-sidecars",
    says: /not the start gate/,
  },
  {
    title: "an application of the sidecar's user",
    of: ROUTER,
    path: `${APP}.securityContext.runAsUser`,
    refused: 65130,
    allowed: 65100,
    policy: "lucid-sidecars",
    says: /reserved for sidecars/,
  },
  {
    title: "a shared process namespace",
    of: ROUTER,
    path: `${POD}.shareProcessNamespace`,
    refused: true,
    allowed: false,
    policy: "lucid-sidecars",
    says: /process namespace/,
  },
  {
    title: "the cluster's resolver",
    of: ROUTER,
    path: `${POD}.dnsPolicy`,
    refused: "ClusterFirst",
    allowed: "None",
    policy: "lucid-sidecars",
    says: /past its sidecar/,
  },
];

const files: readonly Violation[] = [
  {
    title: "another service's certificate",
    of: ROUTER,
    path: `${POD}.volumes[1].secret.secretName`,
    refused: "tron-payment-tls",
    policy: "lucid-sidecar-files",
    says: /certificate is not its service's own/,
  },
  {
    title: "another service's listeners",
    of: ROUTER,
    path: `${POD}.volumes[0].projected.sources[0].configMap.name`,
    refused: "tron-payment-envoy",
    policy: "lucid-sidecar-files",
    says: /config is not its service's own/,
  },
  {
    title: "a token for the Kubernetes API in the sidecar",
    of: ROUTER,
    path: `${POD}.volumes[2].projected.sources[0].serviceAccountToken.audience`,
    refused: "https://kubernetes.default.svc.cluster.local",
    policy: "lucid-sidecar-files",
    says: /not its identity token/,
  },
  {
    title: "the sidecar's key in the application",
    of: ROUTER,
    path: `${APP}.volumeMounts`,
    refused: [{ name: "sidecar-certificate", mountPath: "/keys" }],
    policy: "lucid-sidecar-files",
    says: /another container than the sidecar mounts its key/,
  },
  {
    title: "the sidecar's key in a variable",
    of: ROUTER,
    path: `${APP}.env`,
    refused: [{ name: "KEY", valueFrom: { secretKeyRef: { name: "payout-router-tls", key: "tls.key" } } }],
    allowed: [{ name: "KEY", valueFrom: { secretKeyRef: { name: "payout-router-wallet", key: "seed" } } }],
    policy: "lucid-sidecar-files",
    says: /part of a certificate's Secret/,
  },
];

const workloads: readonly Violation[] = [
  {
    title: "an image that the document does not name",
    of: ROUTER,
    path: `${APP}.image`,
    refused: "busybox:1.35.0",
    allowed: "docker.io/fortio/fortio:1.67.0",
    policy: "lucid-images",
    says: /busybox:1\.35\.0 is not of a repository that the mesh's document names for wallet\/payout-router/,
  },
  {
    title: "a repository whose name begins alike",
    of: ROUTER,
    path: `${APP}.image`,
    refused: "fortio/fortio-fork:1.66.2",
    policy: "lucid-images",
    says: /fortio-fork/,
  },
  {
    title: "a tag that moves",
    of: ROUTER,
    path: `${APP}.image`,
    refused: "fortio/fortio:latest",
    allowed: `fortio/fortio:latest@sha256:${"0a".repeat(32)}`,
    policy: "lucid-images",
    says: /names no one build/,
  },
  {
    title: "another image in Consul's pods",
    of: CONSUL,
    path: `${APP}.image`,
    refused: "fortio/fortio:1.66.2",
    allowed: "hashicorp/consul:1.21.1",
    policy: "lucid-images",
    says: /mesh\/consul/,
  },
  {
    title: "the node's IPC",
    of: ROUTER,
    path: `${POD}.hostIPC`,
    refused: true,
    allowed: false,
    policy: "lucid-pod-security",
    says: /IPC/,
  },
  {
    title: "the node's processes",
    of: CONSUL,
    path: `${POD}.hostPID`,
    refused: true,
    policy: "lucid-pod-security",
    says: /processes/,
  },
  {
    title: "a path of the node",
    of: ROUTER,
    path: `${POD}.volumes[4]`,
    refused: { name: "node", hostPath: { path: "/etc" } },
    allowed: { name: "node", emptyDir: {} },
    policy: "lucid-pod-security",
    says: /hostPath/,
  },
  {
    title: "a privileged container",
    of: ROUTER,
    path: `${APP}.securityContext.allowPrivilegeEscalation`,
    refused: true,
    allowed: false,
    policy: "lucid-pod-security",
    says: /privileged/,
  },
  {
    title: "an added capability",
    of: ROUTER,
    path: `${APP}.securityContext.capabilities`,
    refused: { drop: ["ALL"], add: ["NET_ADMIN"] },
    allowed: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
    policy: "lucid-pod-security",
    says: /capabilities/,
  },
  {
    title: "a root filesystem that can be written to",
    of: ROUTER,
    path: `${APP}.securityContext.readOnlyRootFilesystem`,
    refused: false,
    policy: "lucid-pod-security",
    says: /root filesystem/,
  },
  {
    title: "no seccomp profile",
    of: ROUTER,
    path: `${APP}.securityContext.seccompProfile.type`,
    refused: "Unconfined",
    allowed: "RuntimeDefault",
    policy: "lucid-pod-security",
    says: /seccomp/,
  },
  {
    title: "a port of the node",
    of: CONSUL,
    path: `${APP}.ports[0].hostPort`,
    refused: 8501,
    policy: "lucid-pod-security",
    says: /hostPort/,
  },
];

const others: readonly Violation[] = [
  {
    title: "a NodePort",
    of: SERVICE,
    path: "spec.type",
    refused: "NodePort",
    allowed: "ClusterIP",
    policy: "lucid-services",
    says: /type is NodePort; make it a ClusterIP/,
  },
  {
    title: "an address outside of the cluster",
    of: SERVICE,
    path: "spec.externalIPs",
    refused: ["192.0.2.1"],
    policy: "lucid-services",
    says: /outside of the cluster/,
  },
  {
    title: "a Service of nobody's pods",
    of: SERVICE,
    path: "spec.selector",
    refused: { app: "anything" },
    policy: "lucid-services",
    says: /pods of one member/,
  },
  {
    title: "a wildcard in a Role",
    of: ROLE,
    path: "rules[0].verbs",
    refused: ["*"],
    allowed: ["create", "list"],
    policy: "lucid-roles",
    says: /wildcard/,
  },
  {
    title: "the right to take rights",
    of: ROLE,
    path: "rules[0].verbs",
    refused: ["escalate"],
    policy: "lucid-roles",
    says: /further rights/,
  },
  {
    title: "rights for everybody",
    of: BINDING,
    path: "subjects[0]",
    refused: { kind: "Group", name: "system:serviceaccounts", apiGroup: "rbac.authorization.k8s.io" },
    allowed: { kind: "Group", name: "lucid-operators", apiGroup: "rbac.authorization.k8s.io" },
    policy: "lucid-role-bindings",
    says: /everybody/,
  },
  {
    title: "a zone that enforces no Pod Security",
    of: ZONE,
    path: `metadata.labels["${PSS}/enforce"]`,
    refused: "privileged",
    allowed: "restricted",
    policy: "lucid-zones",
    says: /restricted profile/,
  },
  {
    title: "a zone under another's name",
    of: ZONE,
    path: 'metadata.labels["lucid.internal/zone"]',
    refused: "ops",
    allowed: "wallet",
    policy: "lucid-zones",
    says: /does not bear its zone's name/,
  },
];

export const VIOLATIONS: readonly Violation[] = [
  ...network,
  ...members,
  ...sidecars,
  ...files,
  ...workloads,
  ...others,
];
