import { createHash } from "node:crypto";
import type { Message, Value } from "../message";
import type { Withdrawal } from "../options";

/** Name under which the mark stands in `metadata.filter_metadata`. Nothing reads it: it makes a chain or a cluster another one. */
const MARK = "lucid.internal";

/** What a sidecar's two discovery files hold. */
export interface DiscoveredResources {
  readonly listeners: readonly Message[];
  readonly clusters: readonly Message[];
}

/**
 * Marks whatever holds connections with peers from whom something was withdrawn. A peer proves itself when it connects and never again, and a stream goes on for
 * as long as both ends like; but Envoy drains a filter chain and exchanges a cluster when they change, and cuts off what is left after the time to drain. So
 * a changed mark has every peer of that chain prove itself anew within seconds, and no other chain notices.
 *
 * What sends to a cluster gets its marks, for an exchanged cluster lets its streams go on: a caller's listener those of the clusters under its name, and a chain that passes
 * bytes on those of the cluster that these go to.
 *
 * Where nothing was withdrawn nothing is changed.
 */
export function withWithdrawals(
  resources: DiscoveredResources,
  withdrawals: readonly Withdrawal[],
): DiscoveredResources {
  if (withdrawals.length === 0) return resources;
  const concerned = (peers: Peers | undefined) =>
    peers === undefined ? [] : withdrawals.filter((withdrawal) => concerns(withdrawal, peers));
  const byCluster = resources.clusters.map((cluster) => ({
    name: cluster.name,
    cluster,
    found: concerned(peersOf(cluster.transport_socket)),
  }));
  const listeners = resources.listeners.map((listener) => {
    const name = text(listener.name);
    const sentTo = byCluster
      .filter((entry) => entry.name === name || text(entry.name).startsWith(`${name}|`))
      .flatMap(({ found }) => found);
    if (!Array.isArray(listener.filter_chains)) return listener;
    const chains = (listener.filter_chains as readonly Message[]).map((chain) => {
      const passedTo = byCluster.filter((entry) => passesTo(chain, entry.name)).flatMap(({ found }) => found);
      return marked(chain, [...concerned(peersOf(chain.transport_socket)), ...sentTo, ...passedTo]);
    });
    return { ...listener, filter_chains: chains };
  });
  return { listeners, clusters: byCluster.map(({ cluster, found }) => marked(cluster, found)) };
}

/** Whom a TLS context accepts: the zone whose roots it trusts, and the matchers of identities. */
interface Peers {
  readonly zone: string;
  readonly identities: readonly Message[];
}

function peersOf(transportSocket: Value | undefined): Peers | undefined {
  const validation = at(transportSocket, "typed_config", "common_tls_context", "combined_validation_context");
  const secret = text(at(validation, "validation_context_sds_secret_config", "name"));
  if (!secret.startsWith("trust/")) return undefined;
  const matchers = at(validation, "default_validation_context", "match_typed_subject_alt_names");
  const identities = Array.isArray(matchers) ? (matchers as Message[]) : [];
  return { zone: secret.slice("trust/".length), identities };
}

/** Whether a chain passes bytes on to a cluster. */
function passesTo({ filters }: Message, cluster: Value | undefined): boolean {
  if (cluster === undefined || !Array.isArray(filters)) return false;
  return (filters as readonly Message[]).some(
    ({ name, typed_config }) => name === "envoy.filters.network.tcp_proxy" && at(typed_config, "cluster") === cluster,
  );
}

function concerns({ zone, service }: Withdrawal, peers: Peers): boolean {
  if (zone !== peers.zone) return false;
  if (service === undefined) return true;
  return peers.identities.some(({ matcher }) => {
    const exact = at(matcher, "exact");
    // A prefix is that of every identity of the zone.
    return exact === undefined || text(exact).endsWith(`/sa/${service}`);
  });
}

function marked(resource: Message, withdrawals: readonly Withdrawal[]): Message {
  if (withdrawals.length === 0) return resource;
  const lines = withdrawals.map(({ zone, service, what }) => JSON.stringify([zone, service ?? "", what]));
  const withdrawn = createHash("sha256")
    .update([...new Set(lines)].sort().join("\n"))
    .digest("hex")
    .slice(0, 16);
  return { ...resource, metadata: { filter_metadata: { [MARK]: { withdrawn } } } };
}

function at(value: Value | undefined, ...keys: readonly string[]): Value | undefined {
  return keys.reduce<Value | undefined>(
    (found, key) => (typeof found === "object" && !Array.isArray(found) ? (found as Message)[key] : undefined),
    value,
  );
}

function text(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}
