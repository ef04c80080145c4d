/** Whether services outside the cluster are well, as what stands for them here finds them. */
import { LABELS } from "../../../mesh";
import { counted, ok, warning } from "../check";
import type { Check, Result } from "../check";
import { KINDS } from "../cluster/live";
import { isOver, isReady } from "../cluster/objects";
import type { Pod } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";

export const outsideChecks: readonly Check[] = [
  {
    id: "outside-services",
    category: "sidecars",
    phase: "after",
    title: "every service outside the cluster is well",
    tells:
      "Reads that the pods that stand for it are ready: so they are while each of its ports has an instance that answers, by TLS and with the declared names. That the pods are there is for `workloads-ready` to tell.",
    remedy:
      "ask those who run it; the records of calls of its way out say what TLS failed of, and its NetworkPolicy may not be in force",
    more: "external-services.md#watching-one",
    needs: ["namespaces-there"],
    run: outsideServices,
  },
];

async function outsideServices(context: CheckContext): Promise<Result> {
  const outside = declaredIn(context).mesh.services.filter(
    ({ workload, revoked }) => workload.kind === "external" && workload.replicas > 0 && revoked === undefined,
  );
  if (outside.length === 0) return ok("none is declared");
  const pods = (await context.live.inZones(KINDS.pods)).filter((pod) => !isOver(pod));
  const found = outside.flatMap(({ name, namespace }) => {
    const own = pods.filter((pod) => isOf(pod, namespace, name));
    const ready = own.filter(isReady).length;
    return own.length > 0 && ready === own.length
      ? []
      : [`${namespace}/${name}: ${String(ready)} of ${counted(own.length, "pod")} can reach it`];
  });
  return found.length === 0
    ? ok(counted(outside.length, "service"))
    : warning("services outside the cluster don't answer as declared", found);
}

function isOf({ metadata }: Pod, namespace: string, name: string): boolean {
  return metadata.namespace === namespace && metadata.labels?.[LABELS.name] === name;
}
