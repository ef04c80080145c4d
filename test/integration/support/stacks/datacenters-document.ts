/** A mesh in two datacenters, as small as it can be, and what the policy pack's ceiling lets each of them be. */
import { network, networkOf } from "../../../../dev/cluster/layout";
import { resolveMesh, validateDocument } from "../../../../mesh";
import type { Mesh } from "../../../../mesh";
import { LUCID_CEILING } from "../../../../policies/ceiling";
import type { Ceiling } from "../../../../policies/ceiling";
import { digestOfTokens } from "../../../../policies/reachability/envoy";

/** `north` is the usual cluster, and calls `south`; `south` calls nobody. */
export const DATACENTERS = ["north", "south"] as const;
export type Datacenter = (typeof DATACENTERS)[number];

/** The other cluster's name. */
export const OTHER = "b";
export const NETWORKS = { north: network, south: networkOf(OTHER) } as const;
export const NODE_PORTS = { north: 30444, south: 30443 } as const;
const GATEWAY = "datacenter-gateway";

/** An application that echoes, and that can be told to call. One replica of each: two meshes have to fit two cores. */
const APPLICATION = {
  image: "fortio/fortio:1.66.2",
  args: [
    "server",
    "-http-port=127.0.0.1:8080",
    "-grpc-port=disabled",
    "-redirect-port=disabled",
    "-tcp-port=disabled",
    "-udp-port=disabled",
  ],
  replicas: 1,
  ports: [{ name: "http", port: 8080, protocol: "http" }],
};

/** What a datacenter is to the others. */
export interface Place {
  /** Addresses of its nodes. */
  readonly addresses: readonly string[];
  /** Blocks of its pods' addresses. */
  readonly pods: readonly string[];
  readonly issuer: string;
  readonly keySet: string;
}
export type Places = Readonly<Record<Datacenter, Place>>;

/**
 * As small as it can be: no eyes, one Consul server, a controller without a second. `lucid-blocks` runs in both and stands in for itself; `ledger` is in `south` alone and
 * exported, `vault` is there too and not; `bystander` is in `north` and calls nobody.
 */
export function documentOf(places: Places) {
  const datacenter = (name: Datacenter) => ({
    gateway: { addresses: [...places[name].addresses], port: NODE_PORTS[name], sources: [...places[name].pods] },
    tokens: { issuer: places[name].issuer, jwksFile: `keys/${name}.json` },
  });
  return {
    apiVersion: "mesh.lucid.internal/v1",
    datacenters: {
      north: {
        ...datacenter("north"),
        calls: [{ datacenter: "south", reason: "South stands in for what is down here" }],
      },
      south: datacenter("south"),
    },
    zones: {
      ops: { members: ["admin-ui", "bystander", "ledger", "vault"] },
      chain: { members: ["lucid-blocks"] },
      wallet: { members: [] },
      mesh: { members: ["mesh-controller"] },
      edge: { members: [GATEWAY] },
    },
    services: [
      {
        name: "admin-ui",
        plane: "ops",
        ...APPLICATION,
        datacenters: ["north"],
        calls: [
          { service: "lucid-blocks", reason: "Operators watch the chain's height" },
          { service: "ledger", methods: ["GET"], paths: ["/debug"] },
        ],
      },
      { name: "bystander", plane: "ops", ...APPLICATION, datacenters: ["north"] },
      {
        name: "ledger",
        plane: "ops",
        ...APPLICATION,
        datacenters: ["south"],
        failover: ["south"],
        calls: [{ service: "vault" }],
      },
      { name: "vault", plane: "ops", ...APPLICATION, datacenters: ["south"] },
      {
        name: "lucid-blocks",
        plane: "chain",
        ...APPLICATION,
        failover: ["south"],
        // What is asked of the last one that ends here is asked again there.
        traffic: { retries: { on: ["gateway-error", "reset"] } },
      },
      { name: GATEWAY, plane: "edge", component: true, replicas: 1 },
      { name: "mesh-controller", plane: "mesh", component: true, replicas: 1, ports: [{ name: "http", port: 8080 }] },
    ],
  };
}

/** The document, as each sees it. */
export function meshesOf(places: Places): Readonly<Record<Datacenter, Mesh>> {
  const checked = validateDocument(documentOf(places));
  const keySets = { "keys/north.json": places.north.keySet, "keys/south.json": places.south.keySet };
  return {
    north: resolveMesh(checked, { datacenter: "north", keySets }),
    south: resolveMesh(checked, { datacenter: "south", keySets }),
  };
}

/** The ceiling of a datacenter: what its document opens, and nothing more. */
export function ceilingOf(
  datacenter: Datacenter,
  places: Places,
  meshes: Readonly<Record<Datacenter, Mesh>>,
): Partial<Ceiling> {
  const { machines, pods } = NETWORKS[datacenter];
  const crossing = ["chain/lucid-blocks", "ops/ledger"];
  const none = { calls: [], addresses: [], ports: [], exports: [], sources: [], tokens: [], leave: {} };
  const tokens = (meshes.south.datacenters?.peers ?? []).map((peer) =>
    digestOfTokens(peer.tokens.issuer, peer.tokens.keySet),
  );
  const links: Ceiling["links"] =
    datacenter === "north"
      ? {
          south: {
            ...none,
            calls: crossing,
            addresses: places.south.addresses,
            ports: [`${String(NODE_PORTS.south)}/TCP`],
            reason: "South stands in for what is down here",
          },
        }
      : {
          north: {
            ...none,
            exports: crossing,
            sources: places.north.pods,
            tokens,
            reason: "It stands in for what is down there",
          },
        };
  const { zones } = documentOf(places);
  const members = Object.entries(zones).map(
    ([zone, listed]) => [zone, [...new Set([...(LUCID_CEILING.members[zone] ?? []), ...listed.members])]] as const,
  );
  return {
    members: Object.fromEntries(members),
    externals: {
      ...LUCID_CEILING.externals,
      // No pod of this cluster has an address of the other one's.
      "external/api-server": { cidrs: [machines], except: [pods], widestPrefix: 24 },
    },
    datacenter: { name: datacenter, gateway: `edge/${GATEWAY}`, nodePort: `${String(NODE_PORTS[datacenter])}/TCP` },
    links,
  };
}
