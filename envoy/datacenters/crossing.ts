/** Calls that leave the datacenter, or may: what their caller's sidecar knows of where they are answered. */
import { remoteService, zoneElsewhere, type OutgoingCall } from "../../mesh/datacenters/calls";
import type { Edge, Mesh, Service, ServicePort } from "../../mesh/model";
import { discoveryNameOf, peerZone } from "../../mesh/names";
import { crossingServerName, GATEWAY, WELL_KNOWN } from "../../mesh/wire";
import { calleeCluster, calleeOf, orderedCluster, outboundCluster, type CalleeCluster } from "../clusters";
import type { Message } from "../message";
import { answeringName, outboundName } from "../names";
import type { EnvoyOptions } from "../options";

/** Time to connect to a callee elsewhere, the handshakes of the way there included. */
const CONNECT_TIMEOUT = "5s";

/**
 * The clusters of a call: one where it is answered in one datacenter; otherwise one for each that answers, below one that tries them in their order. All calls go to the
 * first of which any instance can be reached.
 */
export function callClusters(mesh: Mesh, caller: Service, call: OutgoingCall, options: EnvoyOptions): Message[] {
  const { edge, datacenters } = call;
  if (mesh.datacenters === undefined || datacenters === undefined)
    return [outboundCluster(mesh, caller, edge, options)];
  const { own } = mesh.datacenters;
  const { port } = calleeOf(mesh, call);
  const isOneOfSeveral = datacenters.length > 1;
  const nameIn = (datacenter: string) => (isOneOfSeveral ? answeringName(edge, datacenter) : outboundName(edge));
  const answering = datacenters.map((datacenter, index) => {
    const place = index < datacenters.length - 1 ? "before another" : "last";
    const several = { name: nameIn(datacenter), ...(isOneOfSeveral ? ({ order: place } as const) : {}) };
    return datacenter === own
      ? outboundCluster(mesh, caller, edge, options, several)
      : crossingCluster(mesh, own, { caller, edge, port, datacenter, several }, options);
  });
  return isOneOfSeveral ? [orderedCluster(edge, port, datacenters.map(nameIn)), ...answering] : answering;
}

interface Crossing {
  readonly caller: Service;
  readonly edge: Edge;
  readonly port: ServicePort;
  readonly datacenter: string;
  readonly several: Pick<CalleeCluster, "name" | "order">;
}

/** The callee in another datacenter: by way of this one's gateway, which passes on what it can't read, by mutual TLS with exactly that callee. */
function crossingCluster(
  mesh: Mesh,
  own: string,
  { caller, edge, port, datacenter, several }: Crossing,
  options: EnvoyOptions,
): Message {
  const callee = remoteService(mesh, datacenter, edge.to);
  const way: CalleeCluster = {
    ...several,
    connectTimeout: CONNECT_TIMEOUT,
    discoveryName: discoveryNameOf(WELL_KNOWN.gateway, own),
    port: GATEWAY.departurePort,
    peers: { zone: zoneElsewhere(callee), identities: { exact: [callee.identity] } },
    serverName: crossingServerName(port.name, callee.name, datacenter, peerZone(caller.zone, own)),
  };
  return calleeCluster(callee, edge, port, way, options);
}
