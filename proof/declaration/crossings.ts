/** What the document lets leave for other datacenters and arrive from there: the half that is here. Nothing here comes from what renders the sidecars' files. */
import { findService, remoteService } from "../../mesh";
import type { Datacenters, Edge, Mesh, RemoteService, Service } from "../../mesh";
import { DISCOVERY_DOMAIN, GATEWAY, SIDECAR_PORTS, WELL_KNOWN } from "../../mesh/wire";
import { arrivalText, authorityOf, digestOfTokens, linkText } from "../../policies/reachability/envoy";
import type { DeclaredEdge, DeclaredPassage, DeclaredTokens, Party } from "../../policies/reachability/envoy";
import { declaredEdge, partyOf } from "./edge";

/** Who answers a call of this datacenter, where several do. */
export function withOrder(mesh: Mesh, edge: Edge, declared: DeclaredEdge): DeclaredEdge {
  const departure = mesh.datacenters?.departures.find((each) => each.edge === edge);
  return departure === undefined ? declared : { ...declared, order: orderOf(mesh, edge, departure.datacenters) };
}

/** Calls that leave, as far as their caller's sidecar; calls that arrive, at their callee's; and the links between gateways, this one's half of each. */
export function crossingEdges(mesh: Mesh, resolver: string): DeclaredEdge[] {
  const { datacenters } = mesh;
  if (datacenters === undefined) return [];
  return [...departing(mesh, datacenters), ...arriving(mesh, datacenters), ...links(mesh, datacenters, resolver)];
}

/** What this datacenter's gateway passes on to those of others. */
export function passagesOf(mesh: Mesh): DeclaredPassage[] {
  const gateway = gatewayOf(mesh);
  const { own = "", peers = [], departures = [] } = mesh.datacenters ?? {};
  if (gateway === undefined) return [];
  return peers
    .filter(({ isCalled }) => isCalled)
    .map(({ name }) => ({
      party: partyOf(gateway),
      to: partyOf(remoteService(mesh, name, gateway.name)),
      serverNames: departures
        .filter(({ datacenters }) => datacenters.includes(name))
        .map(({ edge }) => crossingName(edge, name, zoneOf(mesh, edge.from), own)),
    }))
    .map((passage) => ({ ...passage, serverNames: [...new Set(passage.serverNames)] }));
}

/** By whose keys callees check tokens of callers elsewhere. */
export function tokensOf(mesh: Mesh): DeclaredTokens[] {
  const { peers = [], arrivals = [] } = mesh.datacenters ?? {};
  const gateway = gatewayOf(mesh);
  return peers.flatMap(({ name: datacenter, tokens: { issuer, keySet } }) => {
    const called = arrivals.filter((arrival) => arrival.datacenter === datacenter).map(({ edge }) => edge.to);
    const callees = [...new Set([...called, ...(called.length > 0 && gateway !== undefined ? [gateway.name] : [])])];
    return callees.flatMap((name) => {
      const callee = findService(mesh, name);
      const digest = digestOfTokens(issuer, keySet);
      return callee === undefined ? [] : [{ party: partyOf(callee), datacenter, digest }];
    });
  });
}

function departing(mesh: Mesh, { own, departures }: Datacenters): DeclaredEdge[] {
  return departures.flatMap(({ edge, datacenters }) =>
    datacenters
      .filter((name) => name !== own)
      .map((name): DeclaredEdge => ({
        ...declaredEdge(mesh, edge, { callee: remoteService(mesh, name, edge.to) }),
        at: { names: [discoveryName(WELL_KNOWN.gateway, own)], port: GATEWAY.departurePort },
        order: orderOf(mesh, edge, datacenters),
        only: "caller",
      })),
  );
}

function arriving(mesh: Mesh, { arrivals }: Datacenters): DeclaredEdge[] {
  return arrivals.map(({ edge, datacenter }): DeclaredEdge => ({
    ...declaredEdge(mesh, edge, { caller: remoteService(mesh, datacenter, edge.from) }),
    only: "callee",
  }));
}

/** Each gateway is the other's caller; what it asks for is the server name of a call. */
function links(mesh: Mesh, { own, peers, arrivals }: Datacenters, resolver: string): DeclaredEdge[] {
  const gateway = gatewayOf(mesh);
  if (gateway === undefined) return [];
  return peers.flatMap(({ name, isCalled, gateway: place }): DeclaredEdge[] => {
    const other = partyOf(remoteService(mesh, name, gateway.name));
    const link = { port: GATEWAY.link, carries: "bytes", requests: [] } as const;
    const ways = arrivals
      .filter(({ datacenter }) => datacenter === name)
      .map(({ edge }) => {
        const { zone } = remoteService(mesh, name, edge.from);
        return {
          authority: authorityOf(crossingName(edge, own, zone, name)),
          target: passedTo(edge.to, own, resolver),
        };
      });
    return [
      ...(isCalled
        ? [
            {
              ...link,
              from: partyOf(gateway),
              to: other,
              target: "",
              at: { names: place.addresses, port: place.port, isLiteral: true },
              only: "caller",
            } as const,
          ]
        : []),
      ...(ways.length > 0
        ? [{ ...link, from: other, to: partyOf(gateway), target: linkText(ways), only: "callee" } as const]
        : []),
    ];
  });
}

function passedTo(service: string, own: string, resolver: string): string {
  return arrivalText({ lookedUp: [discoveryName(service, own)], dialled: SIDECAR_PORTS.inbound, resolver });
}

function gatewayOf(mesh: Mesh): Service | undefined {
  const gateway = findService(mesh, WELL_KNOWN.gateway);
  return gateway?.revoked === undefined ? gateway : undefined;
}

function orderOf(mesh: Mesh, { to }: Edge, datacenters: readonly string[]): readonly Party[] {
  return datacenters.map((name) => {
    const service: Service | RemoteService | undefined =
      name === mesh.datacenters?.own ? findService(mesh, to) : remoteService(mesh, name, to);
    if (service === undefined) throw new RangeError(`${to} doesn't run in ${name}`);
    return partyOf(service);
  });
}

function zoneOf(mesh: Mesh, service: string): string {
  return findService(mesh, service)?.zone ?? "";
}

/** `http.ledger.south.ops.north`: the callee's port, its name and datacenter, and the caller's zone and datacenter. */
function crossingName({ port, to }: Edge, datacenter: string, zone: string, from: string): string {
  return [port, to, datacenter, zone, from].join(".");
}

/** Consul's own form of a name in a datacenter. */
function discoveryName(service: string, datacenter: string): string {
  return `${service}.service.${datacenter}.${DISCOVERY_DOMAIN}`;
}
