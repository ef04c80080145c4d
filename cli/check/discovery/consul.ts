/** Consul's servers, and its agents in the node resolvers' pods. */
import { CONSUL, NODE_RESOLVER, SNAPSHOTS, namespaceOf } from "../../../mesh";
import { failure, ok, skipped, warning } from "../check";
import type { Result } from "../check";
import type { PodRef } from "../cluster/cluster";
import type { Live } from "../cluster/live";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { askEach, readyPod } from "../plan/ask";
import type { CheckedBackend } from "./backend";
import { addressCheck, serverChecks } from "./servers";
import type { Servers } from "./servers";

/** Intervals after which the newest snapshot is too old. */
const SNAPSHOTS_MISSED = 2;
const PAGE = "discovery.md#discovery";

const SERVERS: Servers = {
  backend: "consul",
  title: "Consul",
  service: CONSUL.service,
  count: ({ consulServers }) => consulServers,
  claims: ["data", "snapshots"],
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
    {
      id: "consul-snapshots",
      category: "discovery",
      backend: "consul",
      phase: "after",
      title: "there is a snapshot of Consul, and it is not too old",
      tells:
        "Asks what takes snapshots beside each ready server for the age of the newest on its volume, by a port-forward to its loopback. The youngest of them all may be as old as two intervals. Whether a file is still what was written is told by `mesh snapshot list`.",
      remedy:
        "look at `kubectl -n lucid-mesh logs consul-<n> -c snapshots`: no room on the volume, or a token that Consul does not know; `mesh snapshot take` says it at once",
      more: "discovery.md#snapshots",
      needs: ["namespaces-there"],
      run: snapshots,
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

async function snapshots(context: CheckContext): Promise<Result> {
  const limit = declaredIn(context).settings.snapshotIntervalMinutes * 60 * SNAPSHOTS_MISSED;
  const servers = { name: CONSUL.service, namespace: namespaceOf("mesh") };
  const answers = await askEach(context, servers, SNAPSHOTS.metricsPort, "/metrics");
  if (answers.length === 0) return skipped("no Consul server is ready to be asked");
  const ages = answers.flatMap(({ body }) => {
    const text = /^lucid_snapshots_newest_age_seconds (\d+(?:\.\d+)?)$/m.exec(body)?.[1];
    return text === undefined ? [] : [Number(text)];
  });
  if (ages.length === 0) return failure("no server has a snapshot yet");
  const age = Math.min(...ages);
  const shown = `the newest is ${String(Math.round(age / 60))} min old`;
  return age > limit ? failure(shown) : ok(shown);
}

/** @throws Error where Consul answers something else */
async function answer(live: Live, server: PodRef, path: string): Promise<unknown> {
  const { status, body } = await live.ask(server, CONSUL.httpPort, path);
  if (status !== 200) throw new Error(`Consul answers ${path} by ${String(status)}`);
  return JSON.parse(body) as unknown;
}
