/** What the document lets one call be. Nothing here comes from what renders the sidecars' files. */
import { isDialled, serviceNamed, zoneElsewhere } from "../../mesh";
import type { Edge, Mesh, Protocol, RemoteService, Service, ServicePort } from "../../mesh";
import { hostText, outsideText, pathPattern } from "../../policies/reachability/envoy";
import type { Carries, DeclaredEdge, FurtherCondition, Party, RequestRule } from "../../policies/reachability/envoy";
import { outsidePort } from "./outside";

/** Caller and callee, where one of them is in another datacenter. */
interface Ends {
  readonly caller: Service;
  readonly callee: Service;
}

/** What a declared call lets be. */
export function declaredEdge(
  mesh: Mesh,
  edge: Edge,
  { caller = serviceNamed(mesh, edge.from), callee = serviceNamed(mesh, edge.to) }: Partial<Ends> = {},
): DeclaredEdge {
  const port = callee.ports.find(({ name }) => name === edge.port);
  if (port === undefined) throw new RangeError(`${edge.to} has no port ${edge.port}`);
  const further: FurtherCondition[] = [
    ...(port.endUsers === undefined ? [] : (["end-users"] as const)),
    ...(port.asksAuthenticator === true ? (["authenticator"] as const) : []),
  ];
  return {
    from: partyOf(caller),
    to: partyOf(callee),
    port: edge.port,
    target: endOf(callee, port),
    carries: carriedBy(port.protocol),
    requests: edge.rules.map(({ methods, paths }): RequestRule => ({
      ...(methods.length === 0 ? {} : { methods }),
      ...(paths.length === 0 ? {} : { paths: paths.map(pathPattern) }),
    })),
    ...(edge.until === undefined ? {} : { until: edge.until }),
    ...(isDialled(edge) ? { dialled: { name: callee.hostname, port: port.dialPort } } : {}),
    further,
  };
}

/** Where a call ends: at the application, or at what is outside the cluster, for the host that its certificate names. */
function endOf(service: Service, port: ServicePort): string {
  const outside = outsidePort(service, port);
  if (outside === undefined) return targetOf(service, port.port);
  const { tls } = outside;
  return `${outsideText(outside)}${tls === undefined || port.protocol === "tcp" ? "" : hostText(tls.serverName)}`;
}

/** Where a port of the application is, and how it is spoken to. */
export function targetOf({ ports }: Service, port: number): string {
  const protocol = ports.find((candidate) => candidate.port === port)?.protocol;
  return `127.0.0.1:${port}${protocol === "grpc" || protocol === "http2" ? " by HTTP/2" : ""}`;
}

function carriedBy(protocol: Protocol): Carries {
  if (protocol === "tcp") return "bytes";
  return protocol === "websocket" ? "websocket" : "requests";
}

/** A service; of another datacenter, as such. */
export function partyOf(service: Service | RemoteService): Party {
  const zone = "datacenter" in service ? zoneElsewhere(service) : service.zone;
  return `${zone}/${service.name}`;
}
