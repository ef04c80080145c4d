/** Whether names are resolved: the discovery backend, and the resolver of each node. */
import { LABELS, NODE_RESOLVER } from "../../../mesh";
import { counted, failure, judged } from "../check";
import type { Check, Result } from "../check";
import { KINDS } from "../cluster/live";
import type { Live } from "../cluster/live";
import { isReady, titleOf } from "../cluster/objects";
import { declaredIn } from "../context";
import { backendChecks } from "../discovery";
import { compared } from "../plan/differences";

const NAMESPACE = "lucid-mesh";

export const discoveryChecks: readonly Check[] = [
  ...backendChecks,
  {
    id: "discovery-services",
    category: "discovery",
    phase: "after",
    title:
      "the Services of the discovery backend and of the node resolvers have their fixed addresses and stay on the node",
    tells:
      "Compares clusterIP, internalTrafficPolicy, selectors and ports with the plan. That the cluster's proxy honours `internalTrafficPolicy: Local` is seen by nobody who only reads.",
    remedy: "run `pulumi up`; an address can't be changed in place: the Service is made anew",
    more: "configuration.md#stack-configuration",
    needs: ["namespaces-there"],
    run: async (context) => {
      const planned = await declaredIn(context).objects("Service");
      const live = await context.live.inZones(KINDS.services);
      const { absent, changed } = compared(planned, live);
      return judged([...absent, ...changed], "they are not as planned", counted(planned.length, "Service"));
    },
  },
  {
    id: "node-resolvers",
    category: "discovery",
    phase: "during",
    title: "a node resolver is ready on every node that takes pods",
    tells: "Reads the DaemonSet and where its pods are. A node whose taints keep it away counts as one without.",
    remedy:
      "look at `kubectl -n lucid-mesh get pods -l app.kubernetes.io/name=node-resolver -o wide`; pods on a node without one find nobody",
    more: "start-gate.md#what-it-does",
    needs: ["namespaces-there"],
    run: async ({ live }) => nodeResolvers(live),
  },
];

async function nodeResolvers(live: Live): Promise<Result> {
  const set = (await live.list(KINDS.daemonSets, NAMESPACE)).find(
    ({ metadata }) => metadata.name === NODE_RESOLVER.service,
  );
  if (set === undefined) return failure("there is no DaemonSet node-resolver", [], "run `pulumi up`");
  const pods = (await live.list(KINDS.pods, NAMESPACE)).filter(
    (pod) => pod.metadata.labels?.[LABELS.name] === NODE_RESOLVER.service,
  );
  const served = new Set(pods.filter(isReady).map(({ spec }) => spec.nodeName));
  const nodes = (await live.list(KINDS.nodes))
    .filter(({ spec }) => spec?.unschedulable !== true)
    .map(({ metadata }) => metadata.name);
  const without = nodes.filter((node) => !served.has(node));
  const unready = pods.filter((pod) => !isReady(pod)).map((pod) => `${titleOf(pod)} is not ready`);
  return judged(
    [...without.map((node) => `${node} has none`), ...unready],
    "there are nodes without one",
    counted(nodes.length, "node"),
  );
}
