import { resolveMesh, validateDocument } from "../../../mesh";
import type { Mesh } from "../../../mesh/model";

const HTTP = { name: "http", port: 8080 };
const IMAGE = "fortio/fortio:1.66.2";

/** An issuer that clusters have unless told otherwise: two of them may well have the same. */
export const ISSUER = "https://kubernetes.default.svc.cluster.local";

/** A public key of P-256 for the cluster of each datacenter; the private ones were thrown away. */
export const KEY_SETS = {
  "keys/north.json": keySet(
    "north",
    "HYWW6Uc_dzAenAgRmBWVJPC43_pPuGc1Pt4QMmyJ_oY",
    "TYa6VMjg3XSKpKSyD1iaKgxfOsXNikgWM1kYLXHANwQ",
  ),
  "keys/south.json": keySet(
    "south",
    "T7tXDOjlyEjVRhoVdmwZYPiXmS4WK6mhcEwOI9FbiWg",
    "GjszzantCPdadDfjVYqM-vWS_-60OrjMtPuxDWeszes",
  ),
  "keys/east.json": keySet(
    "east",
    "eszkEdgnYGJTCwKcgGUJCFpfx0ehNzja33di5CQ-kG4",
    "0kxAcJxH-W3ZlXo4AXPUBwrk0qieJ27MkxiIZKs2YnU",
  ),
} as const;

function keySet(kid: string, x: string, y: string): string {
  return JSON.stringify({ keys: [{ kty: "EC", crv: "P-256", alg: "ES256", use: "sig", kid, x, y }] });
}

const tokens = (name: string) => ({ issuer: ISSUER, jwksFile: `keys/${name}.json` });

/**
 * Three datacenters. `north` calls both others, `south` calls `north`, `east` calls nobody. `billing` runs in `north` alone and calls a ledger that is in all of them and stands in for
 * itself (what may be repeated is, when an instance is gone with it), an archive that is in `south` alone, and by TCP a store that stands in; `payout-router` of Wallet calls the ledger too, and stays in its datacenter.
 */
export function datacentersDocument() {
  return {
    apiVersion: "mesh.lucid.internal/v1",
    datacenters: {
      south: {
        gateway: { addresses: ["198.51.100.7"], sources: ["198.51.100.0/28"] },
        tokens: tokens("south"),
        calls: [{ datacenter: "north", reason: "Its rates are kept there" }],
      },
      north: {
        gateway: { addresses: ["203.0.113.11", "203.0.113.10"], port: 30444 },
        tokens: tokens("north"),
        calls: [
          { datacenter: "south", reason: "South stands in for what is down here" },
          { datacenter: "east", reason: "And then east" },
        ],
      },
      east: { gateway: { addresses: ["192.0.2.5"] }, tokens: tokens("east") },
    },
    zones: {
      ops: { members: ["billing", "ledger", "archive", "prometheus", "jaeger"] },
      chain: { members: ["lucid-blocks"] },
      wallet: { members: ["payout-router"] },
      mesh: { members: ["mesh-controller"] },
      edge: { members: ["datacenter-gateway", "rates"] },
    },
    services: [
      {
        name: "billing",
        plane: "ops",
        image: IMAGE,
        ports: [HTTP],
        datacenters: ["north"],
        calls: [
          { service: "ledger", methods: ["GET"], paths: ["/entries/*"] },
          { service: "archive", traffic: { rateLimit: { requestsPerSecond: 5 } } },
          { service: "lucid-blocks", ports: ["peers"], reason: "It is anchored there", until: "2098-06-30" },
        ],
      },
      {
        name: "ledger",
        plane: "ops",
        image: IMAGE,
        ports: [HTTP, { name: "grpc", port: 8079, protocol: "grpc", dialPort: 81 }],
        failover: ["south", "east"],
        traffic: { retries: { on: ["gateway-error", "reset"] } },
        calls: [{ service: "rates", reason: "Amounts are shown in euro" }],
      },
      { name: "archive", plane: "ops", image: IMAGE, ports: [HTTP], datacenters: ["south"], failover: ["south"] },
      {
        name: "lucid-blocks",
        plane: "chain",
        image: IMAGE,
        ports: [HTTP, { name: "peers", port: 9000, protocol: "tcp", dialPort: 9100 }],
        datacenters: ["north", "east"],
        failover: ["east", "north"],
      },
      {
        name: "payout-router",
        plane: "wallet",
        image: IMAGE,
        ports: [HTTP],
        calls: [{ service: "ledger", reason: "Payouts are entered" }],
      },
      { name: "rates", plane: "edge", image: IMAGE, ports: [HTTP], failover: ["north"] },
      { name: "datacenter-gateway", plane: "edge", component: true, replicas: 2 },
      { name: "mesh-controller", plane: "mesh", component: true, ports: [HTTP] },
      { name: "prometheus", plane: "ops", component: true, ports: [{ name: "http", port: 9090 }] },
      {
        name: "jaeger",
        plane: "ops",
        component: true,
        ports: [
          { name: "query", port: 16686 },
          { name: "otlp", port: 4317, protocol: "grpc", dialPort: 4317 },
        ],
      },
    ],
  };
}

export type DatacenterName = "north" | "south" | "east";

/** {@link datacentersDocument} as one of its datacenters sees it. */
export function datacenterMesh(datacenter: DatacenterName = "north", tracing = false): Mesh {
  return resolveMesh(validateDocument(datacentersDocument()), { datacenter, keySets: KEY_SETS, tracing });
}

/** What a document may say one day that {@link datacentersDocument} doesn't. */
export interface Change {
  readonly title: string;
  readonly change?: (document: ReturnType<typeof datacentersDocument>) => void;
  /** The time, where a call has ended by then. */
  readonly now?: string;
}

/** Each takes calls off links, the last one of some; and one is a link before its first call. */
export const CHANGES: readonly Change[] = [
  ...["ledger", "billing", "rates", "archive", "lucid-blocks", "datacenter-gateway"].map((name) => ({
    title: `${name} is revoked`,
    change: ({ services }: ReturnType<typeof datacentersDocument>) => {
      Object.assign(services.find((service) => service.name === name) ?? {}, { revoked: "Its key was copied" });
    },
  })),
  {
    title: "the only call over a link has ended",
    change: ({ services }) => {
      Object.assign(services.find(({ name }) => name === "ledger") ?? {}, { failover: ["south"] });
    },
    now: "2098-07-01T00:00:00.000Z",
  },
  {
    title: "a link is declared that no call uses yet",
    change: ({ datacenters }) => {
      Object.assign(datacenters.east, { calls: [{ datacenter: "south", reason: "Later on it will" }] });
    },
  },
];

/** {@link datacentersDocument} with a change, as one of its datacenters sees it. */
export function changedMesh(datacenter: DatacenterName, { change, now }: Change, tracing = false): Mesh {
  const document = datacentersDocument();
  change?.(document);
  return resolveMesh(validateDocument(document), {
    datacenter,
    keySets: KEY_SETS,
    tracing,
    ...(now === undefined ? {} : { now }),
  });
}
