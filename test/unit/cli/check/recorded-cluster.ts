import { ClusterError } from "../../../../cli/check/cluster/cluster";
import type { ClockReading, Cluster, HttpAnswer, PodRef, Right } from "../../../../cli/check/cluster/cluster";
import { KINDS, Live, apiPath } from "../../../../cli/check/cluster/live";
import type { CheckContext } from "../../../../cli/check/context";
import { KubeConfig } from "@kubernetes/client-node";
import { findService, LABELS } from "../../../../mesh";
import { lucid } from "../../proof/lucid";
import { ISSUER, JWKS, declared, intactWorld } from "./recorded";
import type { Recorded, WorldName } from "./recorded";

/** A right that is asked for, answered by tests. */
type May = (right: Right) => boolean;

/** Answers as the API server of a recorded world would. Everything in it may be changed. */
export class RecordedCluster implements Cluster {
  /** Answers of paths that are no lists. */
  readonly paths = new Map<string, unknown>([
    ["/version", { gitVersion: "v1.34.2" }],
    ["/.well-known/openid-configuration", { issuer: ISSUER }],
    ["/openid/v1/jwks", JWKS],
  ]);
  readonly texts = new Map<string, HttpAnswer>([["/readyz?verbose", { status: 200, body: "ok" }]]);
  /** Lists that may not be read, by their path. */
  readonly forbidden = new Set<string>();
  may: Cluster["may"] = () => Promise.resolve(true);
  refusal: (path: string, object: Recorded) => string | undefined;
  reading: ClockReading | undefined;
  logs: (pod: PodRef, previous: boolean) => string = () => "";
  /** What pods answer, by `<service><path>` or `<pod><path>`. */
  readonly answers = new Map<string, HttpAnswer>();
  /** API versions that are not served. */
  readonly unserved = new Set<string>();
  /** Kinds that are served besides those that checks read. */
  readonly served: { apiVersion: string; plural: string; kind: string }[] = [];

  constructor(readonly objects: Recorded[]) {
    this.refusal = (_, object) => refusalOf(this, object);
  }

  grant(may: May): void {
    this.may = (right) => Promise.resolve(may(right));
  }

  get(path: string): Promise<unknown> {
    const known = this.paths.get(path) ?? this.discovery(path);
    return known === undefined ? Promise.reject(new ClusterError(404, `there is no ${path}`)) : Promise.resolve(known);
  }

  list(path: string): Promise<readonly unknown[]> {
    if (this.forbidden.has(path)) return Promise.reject(new ClusterError(403, `this user cannot list ${path}`));
    const found = [...kinds(), ...this.served].flatMap(({ apiVersion, kind, plural }) => {
      const base = apiPath(apiVersion);
      const match = new RegExp(`^${base}(?:/namespaces/([^/]+))?/${plural}$`).exec(path);
      if (match === null) return [];
      const [, namespace] = match;
      return this.objects.filter(
        (one) =>
          one.apiVersion === apiVersion &&
          one.kind === kind &&
          (namespace === undefined || one.metadata.namespace === namespace),
      );
    });
    // As the API server has it: without kind.
    const items = found.map((object) => ({ ...object, kind: undefined, apiVersion: undefined }));
    return Promise.resolve(JSON.parse(JSON.stringify(items)) as unknown[]);
  }

  text(path: string): Promise<HttpAnswer> {
    return Promise.resolve(this.texts.get(path) ?? { status: 404, body: "" });
  }

  refusalOf(path: string, object: object): Promise<string | undefined> {
    return Promise.resolve(this.refusal(path, object as Recorded));
  }

  clock(): Promise<ClockReading> {
    const now = new Date();
    const server = new Date(Math.floor(now.getTime() / 1000) * 1000);
    return Promise.resolve(this.reading ?? { server, asked: now, answered: now });
  }

  log(pod: PodRef, _container: string, previous: boolean): Promise<string> {
    return Promise.resolve(this.logs(pod, previous));
  }

  ask(pod: PodRef, _port: number, path: string): Promise<HttpAnswer> {
    const object = this.objects.find((one) => one.kind === "Pod" && one.metadata.name === pod.name);
    const service = object?.metadata.labels?.[LABELS.name] ?? "";
    const known =
      this.answers.get(`${pod.name}${path}`) ??
      this.answers.get(`${service}${path}`) ??
      answerOf(this, service, path, pod.name);
    return known === undefined ? Promise.reject(new Error(`nobody answers ${service}${path}`)) : Promise.resolve(known);
  }

  /** Pods that stand for a service. */
  get meshed(): readonly Recorded[] {
    return this.objects.filter((one) => one.kind === "Pod" && one.metadata.labels?.[LABELS.meshed] === "true");
  }

  private discovery(path: string): unknown {
    if (this.unserved.has(path)) return undefined;
    const own = [...kinds(), ...this.served].filter(({ apiVersion }) => apiPath(apiVersion) === path);
    if (own.length === 0) return undefined;
    const clusterWide = new Set(["nodes", "namespaces", "storageclasses"]);
    const isClusterWide = (plural: string) =>
      clusterWide.has(plural) || plural.startsWith("validating") || plural.startsWith("cluster");
    return { resources: own.map(({ plural, kind }) => ({ name: plural, kind, namespaced: !isClusterWide(plural) })) };
  }
}

function kinds() {
  return Object.values(KINDS);
}

function refusalOf(cluster: RecordedCluster, object: Recorded): string | undefined {
  if (object.kind === "Namespace")
    return 'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "no-such-level"';
  if (object.kind === "Pod") return 'pods "mesh-check" is forbidden: violates PodSecurity "restricted:latest"';
  if (object.kind === "ConfigMap")
    return `the mesh's admission policies of generation ${generationOf(cluster)} are in force; nothing has this name`;
  return undefined;
}

/** The generation that the policies in the cluster tell. */
function generationOf({ objects }: RecordedCluster): string {
  const policy = objects.find(
    ({ kind, metadata }) => kind === "ValidatingAdmissionPolicy" && metadata.name === "lucid-in-force",
  );
  const { variables = [] } = (policy?.spec ?? {}) as { variables?: { expression: string }[] };
  return JSON.parse(variables[0]?.expression ?? '""') as string;
}

/** What the mesh's own services answer where all is well. */
function answerOf(cluster: RecordedCluster, service: string, path: string, asked: string): HttpAnswer | undefined {
  const json = (body: unknown): HttpAnswer => ({ status: 200, body: JSON.stringify(body) });
  const pods = cluster.meshed.map(({ metadata }) => ({
    pod: metadata.name,
    service: metadata.labels?.[LABELS.name] ?? "",
  }));
  if (service === "consul" && path === "/metrics")
    return { status: 200, body: `lucid_snapshots_newest_age_seconds ${asked.endsWith("-1") ? "1799.25" : "+Inf"}\n` };
  if (service === "consul")
    return path === "/v1/status/leader" ? json("10.244.1.5:8300") : json(["a:8300", "b:8300", "c:8300"]);
  if (service.startsWith("issuer-")) return json({ healthy: true, state: "issuing", reasons: [] });
  if (service === "etcd-access") return { status: path === "/health" ? 200 : 404, body: "" };
  if (service === "jaeger" || path === "/-/ready") return { status: 200, body: "" };
  if (service === "mesh-controller")
    return json({ ...controllerStatus(pods.map(({ pod }) => pod)), leading: asked.endsWith("-0") });
  if (path.startsWith("/api/v1/targets")) {
    const telling = pods.filter(({ service }) => findService(lucid, service)?.metrics !== undefined);
    return json({ data: { activeTargets: [...targetsOf("sidecars", pods), ...targetsOf("applications", telling)] } });
  }
  if (path.includes("days_until_first_cert_expiring"))
    return json({ data: { result: pods.map((metric) => ({ metric, value: [0, "0"] })) } });
  return path.startsWith("/api/v1/query") ? json({ data: { result: [] } }) : undefined;
}

/** Targets of Prometheus that are up. */
function targetsOf(kind: string, pods: readonly { readonly pod: string }[]) {
  return pods.map(({ pod }) => ({ labels: { job: `${kind}-ops`, pod }, health: "up", lastError: "" }));
}

/** What the controller tells of itself. */
export function controllerStatus(pods: readonly string[]) {
  return {
    healthy: true,
    reasons: [] as string[],
    leading: true,
    services: [{ name: "all", zone: "ops", instances: pods.map((pod) => ({ pod, ready: true, registered: true })) }],
    zones: ["ops", "chain", "wallet", "mesh"].map((name) => ({
      name,
      lastSync: new Date().toISOString(),
      error: null as string | null,
      podsError: null as string | null,
      refused: {},
    })),
    nodes: { error: null as string | null, dead: [] as string[] },
    canary: {
      counts: [
        { layer: "network", outcome: "enforced", node: "node1", count: 7 },
        { layer: "network", outcome: "blind", node: "node1", count: 0 },
      ],
      letIn: [] as object[],
      blind: [] as object[],
    } as { counts: object[]; letIn: object[]; blind: object[] } | null,
    inspection: { asked: pods.length, silent: {} as Record<string, string> },
    backlog: 0,
    failures: [] as { time: string; where: string; message: string }[],
  };
}

/** What checks ask, of a cluster on which all is well. */
export async function recordedContext(
  world: WorldName = "consul",
): Promise<{ context: Mutable<CheckContext>; cluster: RecordedCluster }> {
  const { objects } = await intactWorld(world);
  const cluster = new RecordedCluster([...structuredClone(objects)]);
  const reach = { kubeConfig: new KubeConfig(), context: "recorded", server: "https://recorded.example.org" };
  return {
    cluster,
    context: {
      stack: "dev",
      declaration: declared[world],
      reach,
      cluster,
      live: new Live(cluster),
      now: () => new Date(),
    },
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
