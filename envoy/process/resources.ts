import { arrivalsTo, callsFrom, remoteService } from "../../mesh/datacenters/calls";
import { edgesTo, serviceNamed } from "../../mesh/edges";
import { isJob, podsAtOnce } from "../../mesh/jobs/resolve";
import type { Mesh, Service } from "../../mesh/model";
import { isScraper } from "../listeners/scrape";

/** Requests and limits of a sidecar's container, as Kubernetes quantities. There is no CPU limit. */
export interface SidecarResources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly memory: string };
}

/** Memory of its own that an Envoy with our configuration takes, in MiB: measured (docs/sidecar.md, Resources), and rounded up. */
const MEMORY_MIB = { base: 20, callee: 0.3, caller: 0.1, connection: 0.04 } as const;
/** CPU in thousandths of a core: what it takes at rest, and what a request a second takes. */
const CPU_MILLI = { base: 10, requestPerSecond: 0.15 } as const;
/** Besides its own memory a container is charged with pages of Envoy's binary while there is room for them. */
const BINARY_MIB = 64;
/** Two generations of the configuration while an old one drains, and buffers of slow peers. */
const HEADROOM = 2;

/**
 * What a service's sidecar is given, by its edges and its declared load. Memory goes by steps, so that a call more or less rolls no pod, unless a step is
 * reached; and each step is a third to a half more than the one before, so that it is reached seldom.
 */
export function sidecarResources(mesh: Mesh, service: Service): SidecarResources {
  const need = memoryMib(mesh, service);
  const { requestsPerSecond } = service.load;
  return {
    requests: {
      cpu: `${String(roundedUp(CPU_MILLI.base + CPU_MILLI.requestPerSecond * requestsPerSecond, 25))}m`,
      memory: `${String(step(need))}Mi`,
    },
    limits: { memory: `${String(limitMib(mesh, service))}Mi` },
  };
}

/**
 * Bytes of heap that Envoy's overload manager lets a sidecar have. It is less than the container's limit, so that requests are refused (503) before the kernel
 * ends the process with all of its connections.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager
 */
export function maxHeapBytes(mesh: Mesh, service: Service): number {
  return (limitMib(mesh, service) - BINARY_MIB / 2) * 1024 * 1024;
}

function limitMib(mesh: Mesh, service: Service): number {
  return step(HEADROOM * memoryMib(mesh, service) + BINARY_MIB);
}

function memoryMib(mesh: Mesh, service: Service): number {
  const callers = [
    ...edgesTo(mesh, service).map((edge) => serviceNamed(mesh, edge.from)),
    ...arrivalsTo(mesh, service).map(({ edge, datacenter }) => remoteService(mesh, datacenter, edge.from)),
  ];
  const callees = callsFrom(mesh, service).reduce((sum, { datacenters }) => sum + (datacenters?.length ?? 1), 0);
  // Whatever is declared, each pod of each caller may hold a connection, and who inspects one to each pod that is registered.
  const held = callers.reduce((sum, caller) => sum + podsAtOnce(caller), 0);
  const scraped = isScraper(service)
    ? mesh.services.reduce((sum, each) => sum + (isJob(each) ? 0 : podsAtOnce(each)), 0)
    : 0;
  const connections = Math.max(service.load.connections, held) + scraped;
  return (
    MEMORY_MIB.base +
    MEMORY_MIB.callee * callees +
    MEMORY_MIB.caller * callers.length +
    MEMORY_MIB.connection * connections
  );
}

/** The next of 32, 48, 64, 96, 128, 192, 256, … */
function step(mib: number): number {
  let size = 32;
  while (size < mib) {
    size = Number.isInteger(Math.log2(size)) ? size * 1.5 : (size / 3) * 4;
  }
  return size;
}

function roundedUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
