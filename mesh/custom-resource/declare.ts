import { edgesFrom, serviceNamed } from "../edges";
import { podsAtOnce } from "../jobs/resolve";
import type { Mesh, Service } from "../model";
import type { MeshServiceSpec } from "./spec";

/** What the document says of a service, as its `MeshService` does. */
export function declaredSpec(mesh: Mesh, service: Service): MeshServiceSpec {
  const { zone, identity, hostname, version, metrics, revoked } = service;
  return {
    zone,
    identity,
    hostname,
    version,
    workload: workloadOf(service),
    ports: service.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
    ...(metrics === undefined ? {} : { metrics: { port: metrics.port, path: metrics.path } }),
    calls: edgesFrom(mesh, service).map(({ to, port, kind, reason, until }) => ({
      service: to,
      zone: serviceNamed(mesh, to).zone,
      port,
      kind,
      ...(reason === undefined ? {} : { reason }),
      ...(until === undefined ? {} : { until }),
    })),
    ...(revoked === undefined ? {} : { revoked }),
  };
}

function workloadOf(service: Service): MeshServiceSpec["workload"] {
  const { workload } = service;
  return {
    kind: workload.kind,
    ...(workload.kind === "job" ? {} : { replicas: podsAtOnce(service) }),
    ...(workload.kind === "joined" ? { owner: workload.owner } : {}),
  };
}
