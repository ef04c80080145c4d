import type {
  CeilingDatacenter,
  CeilingEdge,
  CeilingException,
  CeilingLink,
  CeilingOutside,
  External,
  Reasoned,
} from "./types";

/** Who makes the certificates of each zone, where the cluster does. */
const ISSUERS = ["ops", "chain", "wallet", "mesh", "edge"].map((zone) => `mesh/issuer-${zone}`);

function byIssuer(reason: string): Reasoned {
  return Object.fromEntries(ISSUERS.map((issuer) => [issuer, reason]));
}

/**
 * What may be declared at all in Lucid, kept outside the stacks under judgement: no stack value loosens it. Each key can be replaced or added to in the pack's
 * own configuration, at one place for all rules (docs/policies/ceiling.md).
 */
export const LUCID_CEILING = {
  /** Members of each zone; what is not listed is refused. A namespace `lucid-*` exists for these zones alone. */
  members: {
    ops: ["admin-ui", "prometheus", "jaeger"],
    chain: ["lucid-blocks"],
    wallet: ["tron-payment", "payout-router"],
    // `etcd-client` is nobody's pod: the identity under which the controller is heard at etcd, and of no use elsewhere.
    mesh: [
      "mesh-controller",
      "consul",
      "etcd",
      "etcd-access",
      "etcd-client",
      "node-resolver",
      "issuer-ops",
      "issuer-chain",
      "issuer-wallet",
      "issuer-mesh",
      "issuer-edge",
    ],
    edge: [],
  } as Readonly<Record<string, readonly string[]>>,

  /** Members whose pods carry no sidecar, as `<zone>/<service>`, each with its reason. */
  infrastructure: {
    "mesh/consul":
      "Consul's servers speak gossip and RPC under TLS and a gossip key of their own; sidecars resolve names through them",
    "mesh/etcd": "etcd's servers speak mutual TLS of their own, to clients and among themselves",
    "mesh/etcd-access": "Keeps etcd's users and their rights, under mutual TLS of etcd's; nobody calls it",
    "mesh/node-resolver": "Sidecars ask it for names, so it can't stand behind one",
    ...byIssuer("Makes what sidecars wait for, and asks the Kubernetes API alone; nobody calls it"),
  } as Reasoned,

  /**
   * Members whose pods a stack may bring that does not govern their zone, as `<zone>/<service>`, each with who brings them: their identity, configuration and
   * isolation are judged where the mesh's own stack is. Lucid's other clusters, once they join.
   */
  joined: {} as Reasoned,

  /** Parties that are no members of the mesh. */
  externals: {
    "external/api-server": {
      // The private ranges in which a cluster's API endpoints lie; narrow them to your cluster's.
      cidrs: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
      except: ["10.244.0.0/16"],
      widestPrefix: 24,
    },
    "external/kube-dns": { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
  } as Readonly<Record<string, External>>,

  /** What may cross zones, and what infrastructure needs besides 15001; a member's 15001 may be opened to members of its own zone without standing here. */
  edges: [
    {
      from: "ops/admin-ui",
      to: "chain/lucid-blocks",
      ports: ["15001/TCP"],
      reason: "Operators watch the chain's height and anchors",
    },
    {
      from: "ops/admin-ui",
      to: "wallet/payout-router",
      ports: ["15001/TCP"],
      reason: "Operators approve and follow payouts",
    },
    {
      from: "wallet/payout-router",
      to: "chain/lucid-blocks",
      ports: ["15001/TCP"],
      reason: "Every payout batch is anchored on the chain",
    },
    { from: "*", to: "ops/jaeger", ports: ["15001/TCP"], reason: "Sidecars send their spans" },
    { from: "ops/prometheus", to: "*", ports: ["15090/TCP"], reason: "Scrapes the sidecars" },
    {
      from: "ops/prometheus",
      to: "mesh/mesh-controller",
      ports: ["15001/TCP"],
      reason: "The controller names the sidecars to be scraped",
    },
    {
      from: "ops/admin-ui",
      to: "mesh/mesh-controller",
      ports: ["15001/TCP"],
      reason: "Operators see how services, zones and the mesh are",
    },
    {
      from: "mesh/mesh-controller",
      to: "ops/prometheus",
      ports: ["15001/TCP"],
      reason: "The controller shows what sidecars counted of each call",
    },
    {
      from: "mesh/mesh-controller",
      to: "*",
      ports: ["15090/TCP"],
      reason: "Compares what runs with what was declared",
    },
    {
      from: "mesh/mesh-controller",
      to: "*",
      ports: ["15021/TCP"],
      sides: ["egress"],
      reason: "The live canary: let out here and in nowhere, so that a pod that it comes to has no enforced policy",
    },
    { from: "*", to: "mesh/node-resolver", ports: ["53/UDP", "53/TCP"], reason: "Sidecars resolve their callees" },
    {
      from: "*",
      to: "mesh/node-resolver",
      ports: ["8181/TCP"],
      sides: ["ingress"],
      reason:
        "The start gate's canary: let in here and out nowhere, so that a pod that reaches it has no enforced policy yet",
    },
    { from: "mesh/mesh-controller", to: "mesh/consul", ports: ["8501/TCP"], reason: "Registers instances" },
    { from: "mesh/consul", to: "mesh/consul", ports: ["8300/TCP", "8301/TCP", "8301/UDP"], reason: "Raft and gossip" },
    {
      from: "mesh/node-resolver",
      to: "mesh/consul",
      ports: ["8300/TCP", "8301/TCP", "8301/UDP"],
      reason: "The node's agent asks the servers, and gossips",
    },
    { from: "mesh/consul", to: "mesh/node-resolver", ports: ["8301/TCP", "8301/UDP"], reason: "Gossip" },
    { from: "mesh/node-resolver", to: "mesh/node-resolver", ports: ["8301/TCP", "8301/UDP"], reason: "Gossip" },
    { from: "mesh/mesh-controller", to: "mesh/etcd", ports: ["2379/TCP"], reason: "Registers instances" },
    { from: "mesh/etcd-access", to: "mesh/etcd", ports: ["2379/TCP"], reason: "Keeps etcd's users and their rights" },
    { from: "mesh/node-resolver", to: "mesh/etcd", ports: ["2379/TCP"], reason: "Asks for names" },
    { from: "mesh/etcd", to: "mesh/etcd", ports: ["2380/TCP"], reason: "Raft" },
    { from: "mesh/mesh-controller", to: "external/api-server", ports: ["443/TCP", "6443/TCP"], reason: "Watches pods" },
    ...ISSUERS.map((from) => ({
      from,
      to: "external/api-server",
      ports: ["443/TCP", "6443/TCP"],
      reason: "Writes the certificates of its zone",
    })),
    {
      from: "mesh/consul",
      to: "external/kube-dns",
      ports: ["53/UDP", "53/TCP"],
      reason: "Servers find each other by their StatefulSet names",
    },
    {
      from: "mesh/etcd",
      to: "external/kube-dns",
      ports: ["53/UDP", "53/TCP"],
      reason: "Servers find each other by their StatefulSet names",
    },
    {
      from: "mesh/node-resolver",
      to: "external/kube-dns",
      ports: ["53/UDP", "53/TCP"],
      reason: "They find the discovery backend's servers by their StatefulSet names",
    },
  ] as readonly CeilingEdge[],

  /** Members that stand for services outside the cluster, as `<zone>/<service>`, each with where it leads. Who calls them is said by `edges`, as of any member. */
  outside: {} as Readonly<Record<string, CeilingOutside>>,

  /** The datacenter that is judged, where there are several: each is judged by a ceiling of its own. Undefined: the mesh is in one, and no name bears it. */
  datacenter: undefined as CeilingDatacenter | undefined,

  /** What may pass between the datacenter that is judged and others, by their names. Who may call whom is said by `edges`, as within one. */
  links: {} as Readonly<Record<string, CeilingLink>>,

  /** Services that sidecars may ask about their callers, as `<zone>/<service>`: they see each such request and can refuse it. Lucid's cluster 09, once it joins. */
  authenticators: [] as readonly string[],

  /** Members that may reach addresses outside the cluster, as `<zone>/<service>`: Tor's proxies, once the edge has them. Everybody else's way out leads through them. */
  torProxies: [] as readonly string[],

  /** Members whose applications may ask the Kubernetes API, as `<zone>/<service>`, each with its reason; the others have no token for it. */
  apiClients: {
    "mesh/mesh-controller":
      "Watches pods, brings the cluster's token keys to the sidecars, says how services are, compares what there is with what was declared, and agrees with its replicas who leads",
    ...byIssuer("Makes the certificates of its zone's services, and writes them into their Secrets"),
  } as Reasoned,

  /** Rights by which one could become another or go past the plan, as `<verb> <group>/<resource>`, each with the reason why a role may have it. */
  powers: {
    "patch core/pods/status":
      "Has kubelet bring changed ConfigMaps at once; a status is not what a pod runs, and labels can't be changed by it",
    "create coordination.k8s.io/leases":
      "The replicas of the controller, and of each issuer, agree by a Lease who leads; `create` can't be narrowed to its name, which the admission policies do",
    "create networking.k8s.io/networkpolicies":
      "The controller puts NetworkPolicies right that others change or take away; the admission policies let it open nothing that isn't declared",
    "patch networking.k8s.io/networkpolicies": "The same, of one that was changed",
    "delete networking.k8s.io/networkpolicies": "It takes away those that nobody declares; what goes closes",
    "create admissionregistration.k8s.io/validatingadmissionpolicies":
      "The controller puts the mesh's admission policies right that others take away; one more refuses, and lets nothing in",
    "create admissionregistration.k8s.io/validatingadmissionpolicybindings": "The same, of their bindings",
    "patch admissionregistration.k8s.io/validatingadmissionpolicies":
      "The controller puts the mesh's admission policies right that others change: those that the role names",
    "patch admissionregistration.k8s.io/validatingadmissionpolicybindings": "The same, of their bindings",
  } as Reasoned,

  /**
   * Members whose pods may have a token by which Consul's ACLs are written, as `<zone>/<service>`, each with its reason. Consul asks it of who takes snapshots, and its bearer
   * can give himself every other right.
   */
  snapshotTakers: {
    "mesh/consul":
      'Takes snapshots of Consul\'s state beside its servers, whose pods have the management token already: `GET /v1/snapshot` asks for `acl = "write"`, and for nothing narrower',
  } as Reasoned,

  /**
   * Members whose pods may have a token by which Consul's ACLs are read, as `<zone>/<service>`, each with its reason. Its bearer sees who may do what there, and no token's
   * secret.
   */
  aclReaders: {
    "mesh/mesh-controller":
      'Compares Consul\'s ACLs with what was declared; `acl = "read"` shows them, and nothing narrower does',
  } as Reasoned,

  /** Members that may run with mutual TLS switched off, as `<zone>/<service>`, each with its reason; `*` is everybody. */
  mtlsOptional: {} as Reasoned,

  /** Image repositories a pod may run, in full (registry first). */
  images: [
    "docker.io/envoyproxy/envoy",
    "docker.io/hashicorp/consul",
    "docker.io/coredns/coredns",
    "quay.io/coreos/etcd",
    "docker.io/jaegertracing/jaeger",
    "docker.io/prom/prometheus",
    "docker.io/fortio/fortio",
    "registry.lucid.internal/lucid/mesh-controller",
    "registry.lucid.internal/lucid/start-gate",
    "registry.lucid.internal/lucid/snapshots",
  ] as readonly string[],

  /** Repository of the sidecar's image. */
  sidecarImage: "docker.io/envoyproxy/envoy",
  /** Repositories that may stand as a start gate. */
  startGateImages: ["registry.lucid.internal/lucid/start-gate"] as readonly string[],

  /** Kubernetes kinds that the rules model, as `<group>/<kind>` (`core` for the empty group). */
  kinds: {
    "core/Namespace": "a zone; judged by members-only and pod-security-restricted",
    "core/ServiceAccount": "judged by members-only and service-account-tokens",
    "core/Service": "judged by services-internal-only",
    "core/ConfigMap": "judged by private-keys-in-secrets and envoy-listeners-mtls",
    "core/Secret": "the place of private keys; judged by consul-default-deny and service-account-tokens",
    "core/Pod": "judged by the pod rules",
    "core/PersistentVolumeClaim": "storage; carries no rights",
    "core/ResourceQuota": "only narrows",
    "core/LimitRange": "only narrows",
    "apps/Deployment": "judged by the pod rules",
    "apps/StatefulSet": "judged by the pod rules",
    "apps/DaemonSet": "judged by the pod rules",
    "apps/ReplicaSet": "judged by the pod rules",
    "batch/Job": "judged by the pod rules",
    "batch/CronJob": "judged by the pod rules",
    "networking.k8s.io/NetworkPolicy": "judged by network-policy-zone-isolation",
    "policy/PodDisruptionBudget": "availability; carries no rights",
    "rbac.authorization.k8s.io/Role": "judged by rbac-least-privilege",
    "rbac.authorization.k8s.io/RoleBinding": "judged by rbac-least-privilege and stack-invariants",
    "rbac.authorization.k8s.io/ClusterRole": "judged by rbac-least-privilege",
    "rbac.authorization.k8s.io/ClusterRoleBinding": "judged by rbac-least-privilege and stack-invariants",
    "apiextensions.k8s.io/CustomResourceDefinition": "judged by declared-services",
    "mesh.lucid.internal/MeshService": "judged by declared-services",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicy": "judged by admission-policies",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": "judged by admission-policies",
  } as Reasoned,

  /** Other resources, by package (the first part of a type) or whole type, each with its reason. */
  packages: {
    pulumi: "the stack itself, its providers and references to other stacks",
    lucid: "components of this project; their children are judged",
    tls: "keys and certificates, kept in the encrypted state; judged by tls-private-keys, tls-certificates and stack-invariants",
    random: "gossip key, tokens and passwords; kept in the encrypted state",
    consul: "ACL objects of the discovery backend; judged by consul-least-privilege",
    "docker:index/image:Image": "images of the mesh's own services; judged by images-pinned",
  } as Reasoned,

  /** Findings that are let be until a day, each with who answers for it. */
  exceptions: [] as readonly CeilingException[],
};

/** The ceiling, or what the pack's configuration made of it. */
export type Ceiling = typeof LUCID_CEILING;
export type CeilingKey = keyof Ceiling;

/** What of it says who may reach whom. */
export type EdgeLeave = Pick<
  Ceiling,
  "members" | "infrastructure" | "externals" | "edges" | "outside" | "datacenter" | "links"
>;
/** The same, and who may have which rights at the discovery backend. */
export type DiscoveryLeave = EdgeLeave & Pick<Ceiling, "snapshotTakers" | "aclReaders">;
