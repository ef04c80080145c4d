import { CALL_PORT, INSPECTION_PORT } from "../ceiling/edges";
import type { Destinations } from "./http";

/** A row of the table of listeners (docs/policies/envoy-listeners-mtls.md). */
export interface ListenerForm {
  /** `*`: the pod's address; `loopback`: 127.0.0.0/8. */
  readonly bind: "*" | "loopback";
  readonly port?: number;
  readonly protocol: "TCP" | "UDP";
  /** How a chain's callers may be reached in the ceiling; undefined where nobody outside the pod can come. */
  readonly callPort?: string;
  readonly destinations: Destinations;
  /** What each of those who come by mutual TLS may ask, by the service's name, where that isn't the same for all. Who isn't named may ask nothing. */
  readonly readers?: Readonly<Record<string, Destinations>>;
  /** Whether it is answered when the sidecar takes no more calls. */
  readonly operational?: true;
  /** Whether each chain has a connection limit of its own. */
  readonly bounded?: true;
  /** Whether it passes TLS on that it doesn't end, told by server name. */
  readonly passes?: true;
}

const isApplication = (cluster: string) => cluster.startsWith("application|");
const NOWHERE: Destinations = { allows: () => false, adminPaths: [] };

/** Where calls from another datacenter go on to, at a gateway. @param callees services that may be called from there */
export function arrivalsOf(callees: readonly string[]): Destinations {
  return { allows: (cluster) => callees.some((callee) => cluster === `arrival|${callee}`), adminPaths: [] };
}

/** The form that a listener must have, by its name: nothing else listens. */
export function formOf(name: string): ListenerForm | undefined {
  switch (name) {
    case "inbound":
      return {
        bind: "*",
        port: 15001,
        protocol: "TCP",
        callPort: CALL_PORT,
        bounded: true,
        destinations: { allows: isApplication, adminPaths: [] },
      };
    case "departure":
      return {
        bind: "*",
        port: 15443,
        protocol: "TCP",
        bounded: true,
        passes: true,
        destinations: { allows: (cluster) => cluster.startsWith("link|"), adminPaths: [] },
      };
    case "inspection":
      return {
        operational: true,
        bind: "*",
        port: 15090,
        protocol: "TCP",
        callPort: INSPECTION_PORT,
        destinations: NOWHERE,
        readers: {
          prometheus: { allows: isApplication, askedPath: "/metrics", adminPaths: ["/stats/prometheus"] },
          "mesh-controller": { allows: () => false, adminPaths: ["/certs", "/stats?filter=_manager."] },
        },
      };
    case "health":
      return {
        operational: true,
        bind: "*",
        port: 15021,
        protocol: "TCP",
        destinations: {
          allows: isApplication,
          askedPath: "/health",
          asksWithQuery: true,
          adminPaths: ["/ready"],
          tellsHealth: true,
        },
      };
    case "admin":
      return {
        operational: true,
        bind: "loopback",
        protocol: "TCP",
        destinations: { allows: () => false, adminPaths: ["/ready", "/stats", "/stats/prometheus"] },
      };
    case "dns":
      return { bind: "loopback", port: 53, protocol: "UDP", destinations: NOWHERE };
  }
  // An outbound listener carries to the cluster of its own name (or to versions of it), and nowhere else.
  if (/^(outbound|scrape)\|./.test(name)) {
    return {
      bind: "loopback",
      protocol: "TCP",
      destinations: { allows: (cluster) => cluster === name || cluster.startsWith(`${name}|`), adminPaths: [] },
    };
  }
  return undefined;
}
