/** Where the document has ways out lead, and by what proof. Nothing here comes from what renders their files. */
import type { Service, ServicePort } from "../../mesh";
import { digestOfPem } from "../../policies/reachability/envoy";
import type { DeclaredOutside, OutsidePort } from "../../policies/reachability/envoy";

/** The ports of a service outside the cluster; none of any other. */
export function outsideOf(service: Service): DeclaredOutside[] {
  return service.ports.flatMap((port) => {
    const outside = outsidePort(service, port);
    return outside === undefined ? [] : [{ party: `${service.zone}/${service.name}`, ...outside }];
  });
}

/** One port of a service outside the cluster; undefined of any other. */
export function outsidePort({ workload }: Service, { name, port, protocol }: ServicePort): OutsidePort | undefined {
  if (workload.kind !== "external") return undefined;
  const { addresses, tls, health } = workload;
  const byHttp2 = protocol === "http2" || protocol === "grpc";
  return {
    addresses,
    port,
    byHttp2,
    tls: tls && {
      serverName: tls.serverName,
      names: tls.names,
      authorities: digestOfPem(tls.authorities),
      alpn: protocol === "tcp" ? tls.alpn : [byHttp2 ? "h2" : "http/1.1"],
      presents: tls.presentsCertificate,
    },
    asked: health?.port === name ? `GET ${health.path}` : "a connection",
  };
}
