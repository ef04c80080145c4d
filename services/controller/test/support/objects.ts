/** Kubernetes objects as the API server sends them. */

export interface PodOptions {
  readonly service?: string;
  readonly zone?: string;
  readonly uid?: string;
  readonly address?: string | null;
  readonly ready?: boolean;
  readonly version?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly terminating?: boolean;
  readonly serviceAccount?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ApiObject {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string } & Readonly<Record<string, unknown>>;
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

/** A meshed pod of service `admin-ui` in zone `ops`, running and ready, unless told otherwise. */
export function podObject(name: string, options: PodOptions = {}): ApiObject {
  const service = options.service ?? "admin-ui";
  return {
    metadata: {
      name,
      uid: options.uid ?? `uid-of-${name}`,
      labels: options.labels ?? {
        "app.kubernetes.io/name": service,
        "app.kubernetes.io/version": options.version ?? "1.0.0",
        "lucid.internal/zone": options.zone ?? "ops",
        "lucid.internal/meshed": "true",
      },
      ...(options.terminating === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: { nodeName: options.node ?? "node-1", serviceAccountName: options.serviceAccount ?? service },
    status: {
      phase: options.phase ?? "Running",
      ...(options.address === null ? {} : { podIP: options.address ?? "10.244.0.7" }),
      conditions: [{ type: "Ready", status: (options.ready ?? true) ? "True" : "False" }],
    },
  };
}

/** What the API server tells of its token issuer, with public keys by their ids. */
export function issuerDocuments(keyIds: readonly string[], issuer = "https://issuer.test"): Map<string, unknown> {
  const keys = keyIds.map((kid) => ({ kty: "RSA", alg: "RS256", use: "sig", kid, n: `modulus-of-${kid}`, e: "AQAB" }));
  return new Map<string, unknown>([
    ["/.well-known/openid-configuration", { issuer, jwks_uri: `${issuer}/openid/v1/jwks` }],
    ["/openid/v1/jwks", { keys }],
  ]);
}

/** The lease that the kubelet of `node` renewed last at `renewTime`. */
export function leaseObject(node: string, renewTime: string): ApiObject {
  return { metadata: { name: node }, spec: { renewTime } };
}

/** The `MeshService` of a service with two instances in zone `ops`, of which nothing was said yet, unless told otherwise. */
export function meshServiceObject(
  name: string,
  {
    replicas = 2,
    generation = 1,
    zone = "ops",
    calls = [],
  }: { replicas?: number; generation?: number; zone?: string; calls?: readonly object[] } = {},
): ApiObject {
  return {
    metadata: { name, generation },
    spec: {
      zone,
      identity: `spiffe://${zone}.lucid.internal/ns/lucid-${zone}/sa/${name}`,
      hostname: `${name}.lucid.internal`,
      version: "1.0.0",
      workload: { kind: "application", replicas },
      ports: [{ name: "http", port: 8080, protocol: "http" }],
      calls,
    },
  };
}
