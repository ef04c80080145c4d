/** Consul's servers, and its agents in the node resolvers' pods. */
import { CONSUL, NODE_RESOLVER, namespaceOf } from "../../../mesh";
import { failure, ok, skipped, warning } from "../check";
import type { Result } from "../check";
import type { PodRef } from "../cluster/cluster";
import type { Live } from "../cluster/live";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { readyPod } from "../plan/ask";
import type { CheckedBackend } from "./backend";
import { addressCheck, serverChecks } from "./servers";
import type { Servers } from "./servers";

const PAGE = "discovery.md#discovery";

const SERVERS: Servers = {
  backend: "consul",
  title: "Consul",
  service: CONSUL.service,
  count: ({ consulServers }) => consulServers,
  addressKey: "consulIp",
  address: (settings) => (settings.discoveryBackend === "consul" ? settings.consulIp : undefined),
  readiness: "A server is ready while a leader is in its reach.",
  remedy:
    "look at `kubectl -n lucid-mesh logs consul-<n>`: volumes, certificates, or servers that don't find each other",
  more: PAGE,
};

export const consul: CheckedBackend = {
  workloads: [CONSUL.service],
  trust: { secrets: ["consul-tls", `${NODE_RESOLVER.service}-tls`], configMaps: ["mesh-controller-consul-trust"] },
  bearers: {},
  address: addressCheck(SERVERS),
  checks: [
    ...serverChecks(SERVERS),
    {
      id: "consul-leader",
      category: "discovery",
      backend: "consul",
      phase: "after",
      title: "Consul has a leader, and every server is its peer",
      tells:
        "Asks a ready server for the leader and the peers of Raft, by a port-forward to its loopback; these two questions need no token. What the catalogue holds is for `registrations` to tell.",
      remedy: "see to the servers that are not ready; where a majority is lost, follow Consul's outage recovery",
      more: PAGE,
      needs: ["namespaces-there"],
      run: leader,
    },
  ],
};

async function leader(context: CheckContext): Promise<Result> {
  const { consulServers } = declaredIn(context).settings;
  const server = await readyPod(context.live, { name: CONSUL.service, namespace: namespaceOf("mesh") });
  if (server === undefined) return skipped("no Consul server is ready to be asked");
  const found = await answer(context.live, server, "/v1/status/leader");
  if (typeof found !== "string" || found === "") return failure(`${server.name} knows no leader`);
  const peers = await answer(context.live, server, "/v1/status/peers");
  const count = Array.isArray(peers) ? peers.length : 0;
  if (count < consulServers)
    return warning(`${String(count)} of ${String(consulServers)} servers are peers: fewer may fail than are meant to`);
  return count > consulServers
    ? warning(
        `${String(count)} servers are peers, of ${String(consulServers)} that are declared: the others count for the majority`,
      )
    : ok(found);
}

/** @throws Error where Consul answers something else */
async function answer(live: Live, server: PodRef, path: string): Promise<unknown> {
  const { status, body } = await live.ask(server, CONSUL.httpPort, path);
  if (status !== 200) throw new Error(`Consul answers ${path} by ${String(status)}`);
  return JSON.parse(body) as unknown;
}
