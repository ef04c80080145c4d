/** A cluster on which Lucid's mesh is deployed and well, as its API server would answer: made from the rehearsed plan, with real certificates. */
import { renderTrust } from "../../../../envoy";
import { renderTokens } from "../../../../envoy/identity/token-keys";
import { ETCD, LABELS, ZONES, identityOf, namespaceOf, trustDomainOf } from "../../../../mesh";
import type { ZoneName } from "../../../../mesh";
import { ISSUING, issuedServices } from "../../../../mesh/issuing";
import { UNKNOWN } from "../../../../policies/judgement/plain";
import type { Plain } from "../../../../policies/judgement/plain";
import type { BackendName } from "../../../../cli/check/discovery/backend";
import { Declared } from "../../../../cli/check/plan/declared";
import { Authority } from "../../../integration/envoy/pki";
import type { Leaf, TrustBundle } from "../../../integration/envoy/pki";
import type { JsonObject } from "../../../policies/support/edit";
import { etcdSettings, lucid, settings, withIssuers } from "../../proof/lucid";
import { createHash } from "node:crypto";

/** Any object of the API, to be changed by tests. */
export interface Recorded {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

/** What the stack declares. */
export const declared: Readonly<Record<WorldName, Declared>> = {
  consul: new Declared(lucid, settings),
  etcd: new Declared(lucid, etcdSettings),
  issuers: new Declared(lucid, withIssuers),
};
/** By its discovery backend; or with Consul, and issuers. */
export type WorldName = BackendName | "issuers";
export const NODE = "node1";
export const JWKS = {
  keys: [{ kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "one" }],
};
export const ISSUER = "https://kubernetes.default.svc.cluster.local";
const GATE_IMAGE = "registry.lucid.internal/lucid/start-gate:0.1.0";

/** A zone's authority, and what its peers have of it. */
export interface Zone {
  readonly authority: Authority;
  readonly bundle: TrustBundle;
}

export interface World {
  readonly zones: ReadonlyMap<string, Zone>;
  readonly objects: readonly Recorded[];
}

const made = new Map<WorldName, Promise<World>>();

/** The same world every time: copy its objects before changing them. */
export function intactWorld(name: WorldName = "consul"): Promise<World> {
  const world = made.get(name) ?? make(name);
  made.set(name, world);
  return world;
}

async function make(name: WorldName): Promise<World> {
  const backend = name === "issuers" ? "consul" : name;
  const zones = new Map<string, Zone>();
  for (const zone of ZONES) {
    const authority = await Authority.create(trustDomainOf(zone));
    zones.set(zone, { authority, bundle: await authority.bundle() });
  }
  const planned = (await declared[name].objects()).map((object) => known(object) as unknown as Recorded);
  const leaves = new Map<string, Leaf>();
  for (const secret of planned.filter(({ type }) => type === "kubernetes.io/tls")) {
    const { name: title, labels } = secret.metadata;
    const service = title === "mesh-controller-etcd-tls" ? ETCD.client : (labels?.[LABELS.name] ?? "");
    const zone = zoneOf(secret.metadata.namespace);
    if (title === ISSUING.secret) continue;
    const leaf = await zones.get(zone)?.authority.issue(`${service}.lucid.internal`, identityOf(service, zone));
    if (leaf !== undefined) leaves.set(`${secret.metadata.namespace ?? ""}/${secret.metadata.name}`, leaf);
  }
  const live = planned.map((object) => livened(object, zones, leaves));
  const issued = name === "issuers" ? await issuedObjects(live, zones) : [];
  return { zones, objects: [...live, ...issued, ...live.flatMap(podsOf), ...surroundings(backend)] };
}

/** What issuers make, beside what they are given. */
async function issuedObjects(live: readonly Recorded[], zones: ReadonlyMap<string, Zone>): Promise<Recorded[]> {
  const objects: Recorded[] = [];
  for (const secret of live.filter(({ kind, metadata }) => kind === "Secret" && metadata.name === ISSUING.secret)) {
    const zone = zoneOf(secret.metadata.namespace);
    const authority = zones.get(zone)?.authority;
    const signer = await authority?.signer();
    secret.data = { "tls.crt": base64(signer?.certificate ?? ""), "tls.key": base64(signer?.key ?? "") };
    for (const { name, hostname, namespace, identity } of issuedServices(lucid, zone)) {
      const leaf = await authority?.issue(hostname, identity);
      const metadata = { namespace, labels: { [LABELS.name]: name, [LABELS.managedBy]: ISSUING.manager } };
      const data = { "tls.crt": base64(leaf?.certificate ?? ""), "tls.key": base64(leaf?.key ?? "") };
      const annotations = { "lucid.internal/certificate-digest": digestOf(leaf?.certificate ?? "") };
      objects.push(
        { apiVersion: "v1", kind: "Secret", metadata: { name: `${name}-tls`, ...metadata }, data },
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `${name}-certificate`, ...metadata, annotations } },
      );
    }
  }
  return objects;
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** The plan's object as the API server has it: what was not known is. */
function livened(object: Recorded, zones: ReadonlyMap<string, Zone>, leaves: ReadonlyMap<string, Leaf>): Recorded {
  const { name, namespace } = object.metadata;
  switch (object.kind) {
    case "Namespace":
      return {
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, "kubernetes.io/metadata.name": name } },
        status: { phase: "Active" },
      };
    case "Secret": {
      const leaf = leaves.get(`${namespace ?? ""}/${name}`);
      const texts = { ...(object.stringData as Record<string, string>) };
      if (leaf !== undefined) {
        texts["tls.crt"] = leaf.certificate;
        texts["tls.key"] = leaf.key;
        if ("ca.crt" in texts) texts["ca.crt"] = zones.get("mesh")?.bundle.roots ?? "";
      }
      const data = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, base64(text)]));
      return { ...object, stringData: undefined, data };
    }
    case "ConfigMap":
      return trusting(object, zones, leaves);
    case "Deployment":
    case "StatefulSet": {
      const { replicas } = object.spec as { replicas: number };
      const status = { observedGeneration: 1, replicas, readyReplicas: replicas, updatedReplicas: replicas };
      return { ...object, metadata: { ...object.metadata, generation: 1 }, status };
    }
    case "MeshService": {
      const said = (type: string, status = "True", reason = "Well") => ({
        type,
        status,
        reason,
        observedGeneration: 1,
      });
      const conditions = [said("Ready"), said("Registered", "Unknown", "RunsToCompletion"), said("Drifted", "False")];
      return { ...object, metadata: { ...object.metadata, generation: 1 }, status: { conditions } };
    }
    case "DaemonSet":
      return { ...object, status: { desiredNumberScheduled: 1, numberReady: 1, updatedNumberScheduled: 1 } };
    default:
      return object;
  }
}

function trusting(object: Recorded, zones: ReadonlyMap<string, Zone>, leaves: ReadonlyMap<string, Leaf>): Recorded {
  const { name, namespace = "" } = object.metadata;
  const data = object.data as Record<string, string>;
  if (name === "mesh-controller-consul-trust")
    return { ...object, data: { "ca.crt": zones.get("mesh")?.bundle.roots ?? "" } };
  if (!name.endsWith("-trust")) return object;
  const files = Object.keys(data).map((file) => {
    const zone = file.replace(/\.yaml$/, "") as ZoneName;
    const bundle = zones.get(zone)?.bundle;
    return [file, renderTrust(zone, bundle?.roots ?? "", bundle?.revocations ?? "")];
  });
  const leaf = leaves.get(`${namespace}/${name.replace(/-trust$/, "-tls")}`);
  // Where an issuer makes the certificate, nothing is told of it here.
  const told =
    leaf === undefined ? {} : { annotations: { "lucid.internal/certificate-digest": digestOf(leaf.certificate) } };
  return {
    ...object,
    metadata: { ...object.metadata, ...told },
    data: Object.fromEntries(files) as Record<string, string>,
  };
}

/** Pods as the workload's controller makes them, ready. */
function podsOf(workload: Recorded): Recorded[] {
  if (!["Deployment", "StatefulSet", "DaemonSet"].includes(workload.kind)) return [];
  const { replicas = 1, template } = workload.spec as {
    replicas?: number;
    template: { metadata: JsonObject; spec: PodSpec };
  };
  return Array.from({ length: replicas }, (_, index) => pod(workload, template, index));
}

interface PodSpec {
  containers: { name: string; image: string }[];
  initContainers?: { name: string; image: string; restartPolicy?: string }[];
  [key: string]: unknown;
}

function pod(workload: Recorded, { metadata, spec }: { metadata: JsonObject; spec: PodSpec }, index: number): Recorded {
  const { name, namespace } = workload.metadata;
  const running = (container: { name: string; image: string }) => ({
    name: container.name,
    image: container.image,
    ready: true,
    restartCount: 0,
    state: { running: { startedAt: new Date().toISOString() } },
  });
  const ended = { terminated: { exitCode: 0, reason: "Completed", finishedAt: new Date().toISOString() } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...structuredClone(metadata),
      name: `${name}-${String(index)}`,
      namespace,
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name, controller: true }],
    },
    spec: { ...structuredClone(spec), nodeName: NODE },
    status: {
      phase: "Running",
      podIP: "10.244.1.2",
      conditions: ["PodScheduled", "Ready"].map((type) => ({ type, status: "True" })),
      containerStatuses: spec.containers.map(running),
      initContainerStatuses: (spec.initContainers ?? []).map((one) =>
        one.restartPolicy === "Always" ? running(one) : { ...running(one), state: ended },
      ),
    },
  };
}

/** What a cluster has without the mesh, and what the controller and the servers of the discovery backend make in it. */
function surroundings(backend: BackendName): Recorded[] {
  const now = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
  const object = (apiVersion: string, kind: string, name: string, namespace?: string, rest: object = {}): Recorded => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    ...rest,
  });
  const ready = { conditions: [{ type: "Ready", status: "True" }] };
  const nodeInfo = { kubeletVersion: "v1.34.2", operatingSystem: "linux", architecture: "amd64" };
  const rbac = "rbac.authorization.k8s.io/v1";
  const used = [...new Set(lucid.services.map(({ namespace }) => namespace))];
  const lease = object("coordination.k8s.io/v1", "Lease", NODE, "kube-node-lease", {
    spec: { renewTime: now, leaseDurationSeconds: 40 },
  });
  lease.metadata.managedFields = [{ manager: "kubelet", time: now }];
  const dns = object("v1", "Pod", "coredns-0", "kube-system", { spec: { containers: [] }, status: ready });
  dns.metadata.labels = { "k8s-app": "kube-dns" };
  const storage = object("storage.k8s.io/v1", "StorageClass", "local", undefined, { provisioner: "example.org/local" });
  storage.metadata.annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  const endpoints = object("discovery.k8s.io/v1", "EndpointSlice", "kubernetes", "default", {
    endpoints: [{ addresses: ["10.77.0.10"] }],
    ports: [{ port: 6443 }],
  });
  endpoints.metadata.labels = { "kubernetes.io/service-name": "kubernetes" };
  const discovery = object(rbac, "ClusterRoleBinding", "system:service-account-issuer-discovery", undefined, {
    roleRef: { kind: "ClusterRole", name: "system:service-account-issuer-discovery" },
    subjects: [{ kind: "Group", name: "system:serviceaccounts" }],
  });
  discovery.metadata.labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
  return [
    object("v1", "Node", NODE, undefined, { spec: {}, status: { ...ready, nodeInfo } }),
    lease,
    dns,
    storage,
    endpoints,
    discovery,
    object("v1", "Service", "kubernetes", "default", { spec: { clusterIP: "10.96.0.1" } }),
    ...[0, 1, 2].flatMap((ordinal) =>
      (backend === "consul" ? ["data", "snapshots"] : ["data"]).map((claim) =>
        object("v1", "PersistentVolumeClaim", `${claim}-${backend}-${String(ordinal)}`, "lucid-mesh", {
          status: { phase: "Bound" },
        }),
      ),
    ),
    ...ZONES.map((zone) => object("v1", "ServiceAccount", "default", namespaceOf(zone))),
    ...used.map((namespace) =>
      object("v1", "ConfigMap", "mesh-tokens", namespace, {
        data: { "tokens.yaml": renderTokens({ issuer: ISSUER, jwks: JSON.stringify(JWKS) }) },
      }),
    ),
  ];
}

/** What the update makes of what is not known before it. */
function known(value: Plain, within: JsonObject = {}): Plain {
  if (value === UNKNOWN)
    return within.name === "start-gate" ? GATE_IMAGE : "registry.lucid.internal/lucid/mesh-controller:0.1.0";
  if (Array.isArray(value)) return (value as readonly Plain[]).map((item) => known(item));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, known(inner, value as unknown as JsonObject)]),
    );
  return value;
}

function zoneOf(namespace: string | undefined): ZoneName {
  const zone = ZONES.find((one) => namespaceOf(one) === namespace);
  if (zone === undefined) throw new Error(`${namespace ?? "nothing"} is no zone's namespace`);
  return zone;
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
