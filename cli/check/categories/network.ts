/** Whether the network refuses what nobody declared. */
import { NODE_RESOLVER } from "../../../mesh";
import { judged } from "../check";
import type { Check, Result } from "../check";
import { KINDS } from "../cluster/live";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { addressChecks } from "../discovery";
import { addressResult } from "../plan/address";
import { compared } from "../plan/differences";
import { prove, violationText } from "../../../policies/reachability";
import { callLayers, evidenceOf } from "../../../proof/prove";
import { plainCopy } from "../../../policies/judgement/plain";
import { enforcer } from "./enforcer";
import { exposureChecks } from "./exposure";
import { gateChecks } from "./gates";

const OWN_CLUSTER = "configuration.md#a-cluster-of-your-own";
const NETWORK = "reachability.md#who-reaches-whom";

/** All that decides who reaches whom. */
const DECIDING = [
  KINDS.networkPolicies,
  KINDS.deployments,
  KINDS.statefulSets,
  KINDS.daemonSets,
  KINDS.jobs,
  KINDS.cronJobs,
  KINDS.pods,
  KINDS.configMaps,
  KINDS.serviceAccounts,
];

export const networkChecks: readonly Check[] = [
  {
    id: "network-enforcer",
    category: "network",
    phase: "before",
    title: "something enforces NetworkPolicies on every node",
    tells:
      "Looks for the DaemonSets of programs that do (Calico, Cilium, kube-router, Antrea, Weave, OVN-Kubernetes, Azure's and Amazon's agents), and whether they are ready. One that runs otherwise than as a DaemonSet is known by the start gates of pods that run already. Before the first pod of the mesh there is no proof by reading: with none of both it warns, and the start gates tell.",
    remedy: "install a network plugin that enforces NetworkPolicies, ingress and egress, or switch that on in yours",
    more: OWN_CLUSTER,
    run: enforcer,
  },
  ...gateChecks,
  {
    id: "resolver-address",
    category: "network",
    phase: "before",
    title: "nodeResolverIp is a free address of the service range, or the node resolver's already",
    tells:
      "Looks for the Service that has it, or else asks by a dry run for one with that address: the API server knows its range and what is taken.",
    remedy: "choose another address of the service range in `Pulumi.<stack>.yaml`",
    more: "configuration.md#stack-configuration",
    needs: ["document"],
    run: (context) => addressResult(context, declaredIn(context).settings.nodeResolverIp, NODE_RESOLVER.service),
  },
  ...addressChecks,
  {
    id: "default-deny",
    category: "network",
    phase: "after",
    title: "every zone is closed by its default deny",
    tells: "Compares the NetworkPolicy `default-deny` of each zone with the plan.",
    remedy: "run `pulumi up`, which makes it anew",
    more: NETWORK,
    needs: ["namespaces-there"],
    run: async (context) => {
      const { absent, changed } = await policies(context, (name) => name === "default-deny");
      return judged([...absent, ...changed], "there are zones in which what nobody mentions is open");
    },
  },
  {
    id: "network-policies",
    category: "network",
    phase: "after",
    title: "the NetworkPolicy of every workload is as planned",
    tells: "Compares each with the plan. What it opens is computed by `reachability`.",
    remedy: "run `pulumi up`, which puts them right",
    more: NETWORK,
    needs: ["namespaces-there"],
    run: async (context) => {
      const { absent, changed } = await policies(context, (name) => name !== "default-deny");
      return judged([...absent, ...changed], "they are not as planned");
    },
  },
  {
    id: "network-policies-unknown",
    category: "network",
    phase: "after",
    title: "there is no NetworkPolicy in the zones that the document does not know",
    tells: "Lists the others. NetworkPolicies add up: one more can only open.",
    remedy: "delete what is named, or declare the call in the document",
    more: NETWORK,
    needs: ["namespaces-there"],
    run: async (context) =>
      judged((await policies(context, () => true)).unknown, "there are others, and each can only open"),
  },
  {
    id: "reachability",
    category: "network",
    phase: "after",
    title: "in the cluster exactly those can reach each other that the document declares",
    tells:
      "Computes from the live NetworkPolicies, pods and sidecar files who reaches whom, as `mesh reachability --objects` does. It takes for granted that policies are enforced, and sidecars run what their files say.",
    remedy: "run `pulumi up`; what it leaves was made by hand: delete it",
    more: "reachability.md#the-command",
    needs: ["namespaces-there"],
    seconds: 60,
    run: reachability,
  },
  ...exposureChecks,
];

async function policies(context: CheckContext, isMeant: (name: string) => boolean) {
  const planned = await declaredIn(context).objects("NetworkPolicy");
  const live = await context.live.inZones(KINDS.networkPolicies);
  const { unknown } = compared(planned, live);
  const meant = planned.filter(({ metadata }) => isMeant(metadata.name));
  return { ...compared(meant, live, { exact: true }), unknown };
}

async function reachability(context: CheckContext): Promise<Result> {
  const { mesh, settings } = declaredIn(context);
  const zones: ReadonlySet<string> = new Set(mesh.zones.map(({ namespace }) => namespace));
  const namespaces = (await context.live.list(KINDS.namespaces)).filter(({ metadata }) => zones.has(metadata.name));
  const others = await Promise.all(
    DECIDING.map((kind) => context.live.inZones<(typeof namespaces)[number]>(kind as never)),
  );
  const evidence = evidenceOf(settings, [...namespaces, ...others.flat()].map(plainCopy));
  const violations = prove(evidence, callLayers(mesh, settings)).map(violationText);
  return judged(violations, "something else can be reached, or less");
}
