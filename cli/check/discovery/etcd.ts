/** etcd's servers, and the keeper of its users. */
import { ETCD, NODE_RESOLVER, namespaceOf } from "../../../mesh";
import { failure, judged, ok } from "../check";
import type { Result } from "../check";
import { KINDS } from "../cluster/live";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { askService } from "../plan/ask";
import { compared } from "../plan/differences";
import type { CheckedBackend } from "./backend";
import { addressCheck, serverChecks } from "./servers";
import type { Servers } from "./servers";

const PAGE = "discovery.md#etcd";
const KEEPER = { name: ETCD.access, namespace: namespaceOf("mesh") };
const CLIENT_SECRET = "mesh-controller-etcd-tls";

const SERVERS: Servers = {
  backend: "etcd",
  title: "etcd",
  service: ETCD.service,
  count: ({ etcdServers }) => etcdServers,
  claims: ["data"],
  addressKey: "etcdIp",
  address: (settings) => (settings.discoveryBackend === "etcd" ? settings.etcdIp : undefined),
  readiness:
    "A server is ready while it answers a read that a majority stands by. It tells nobody without a certificate more, so that nothing else is asked of it.",
  remedy: "look at `kubectl -n lucid-mesh logs etcd-<n>`: volumes, certificates, or servers that don't find each other",
  more: PAGE,
};

export const etcd: CheckedBackend = {
  workloads: [ETCD.service, ETCD.access],
  trust: {
    secrets: [`${ETCD.service}-tls`, `${ETCD.access}-tls`, `${NODE_RESOLVER.service}-tls`, CLIENT_SECRET],
    configMaps: [],
  },
  bearers: { [CLIENT_SECRET]: ETCD.client },
  address: addressCheck(SERVERS),
  checks: [
    ...serverChecks(SERVERS),
    {
      id: "etcd-rights-planned",
      category: "discovery",
      backend: "etcd",
      phase: "after",
      title: "etcd's users and their rights are written down as planned",
      tells:
        "Compares the ConfigMap `etcd-access-document` with the plan. What is in force in etcd is for `etcd-rights-kept` to tell.",
      remedy: "run `pulumi up`, which writes it; then see who could change it",
      more: PAGE,
      needs: ["namespaces-there"],
      run: async (context) => {
        const planned = (await declaredIn(context).objects("ConfigMap")).filter(
          ({ metadata }) => metadata.name === `${ETCD.access}-document`,
        );
        const { absent, changed } = compared(planned, await context.live.inZones(KINDS.configMaps));
        return judged([...absent, ...changed], "others may register than are declared");
      },
    },
    {
      id: "etcd-rights-kept",
      category: "discovery",
      backend: "etcd",
      phase: "after",
      title: "etcd asks for users, and has those that are written down, with their rights",
      tells:
        "Asks the keeper, which is root in etcd and compares them again and again, by a port-forward to its loopback. It holds what it read when it started: after `pulumi up` changed that, it is started anew.",
      remedy:
        "look at `kubectl -n lucid-mesh logs deploy/etcd-access`: servers without a majority, or a password that is not etcd's",
      more: PAGE,
      needs: ["namespaces-there"],
      run: kept,
    },
  ],
};

async function kept(context: CheckContext): Promise<Result> {
  const answer = await askService(context, KEEPER, ETCD.accessPort, "/health");
  if (answer === undefined) return failure("no keeper is ready, which it is only while they are");
  return answer.status === 200 ? ok() : failure("the keeper has not brought them about");
}
