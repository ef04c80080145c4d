/** Whether every pod of a service has its sidecar. */
import { IMAGES } from "../../../components/versions";
import { LABELS } from "../../../mesh";
import { judged } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import { isOver, titleOf } from "../cluster/objects";
import type { Pod } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { outsideChecks } from "./outside";
import { podChecks } from "./pods";
import { workloadChecks } from "./workloads";

const SIDECAR = "sidecar";
const GATE = "start-gate";
const PAGE = "sidecar.md#the-sidecar";

export const sidecarChecks: readonly Check[] = [
  ...workloadChecks,
  ...outsideChecks,
  {
    id: "sidecar-first",
    category: "sidecars",
    phase: "after",
    title: "in every pod of a service the sidecar starts first, and the start gate second",
    tells:
      "Reads the pods themselves: the sidecar as first init container that goes on running, and the gate behind it.",
    remedy: "delete the pod; where its successor is the same, run `pulumi up`",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const found = (await servicePods(context)).flatMap((pod) => {
        const [first, second] = pod.spec.initContainers ?? [];
        const fits = first?.name === SIDECAR && first.restartPolicy === "Always" && second?.name === GATE;
        return fits ? [] : [titleOf(pod)];
      });
      return judged(found, "pods are without it, or start something before it");
    },
  },
  {
    id: "sidecar-image",
    category: "sidecars",
    phase: "after",
    title: `every sidecar is ${IMAGES.envoy}, and every start gate the mesh's own`,
    tells: "Reads the images that pods ask for. What a registry hands out under that name is not seen.",
    remedy: "run `pulumi up`; a pod that is left from before a new version is replaced by its Deployment",
    more: PAGE,
    needs: ["sidecar-first"],
    run: async (context) => {
      const gate = `${declaredIn(context).settings.imageRegistry}/lucid/start-gate`;
      const found = (await servicePods(context)).flatMap((pod) => {
        const [first, second] = (pod.spec.initContainers ?? []).map(({ image = "none" }) => image);
        return [
          ...(first === IMAGES.envoy ? [] : [`${titleOf(pod)} runs ${first ?? "none"}`]),
          ...(second?.startsWith(`${gate}:`) === true || second?.startsWith(`${gate}@`) === true
            ? []
            : [`${titleOf(pod)} gates by ${second ?? "none"}`]),
        ];
      });
      return judged(found, "pods run others");
    },
  },
  ...podChecks,
];

/** Pods that stand for a service, and are not over. */
async function servicePods({ live }: CheckContext): Promise<readonly Pod[]> {
  return (await live.inZones(KINDS.pods)).filter(
    (pod) => pod.metadata.labels?.[LABELS.meshed] === "true" && !isOver(pod),
  );
}
