/** What befalls pods of the zones. */
import { judged, failure, ok, warning } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import { isOver, statusesOf, titleOf } from "../cluster/objects";
import type { Pod } from "../cluster/objects";
import type { CheckContext } from "../context";

/** Why a container waits that will not start by itself. */
const STUCK =
  /^(CrashLoopBackOff|ImagePullBackOff|ErrImagePull|InvalidImageName|ErrImageNeverPull|CreateContainerConfigError|CreateContainerError|RunContainerError)$/;
const PAGE = "sidecar.md#the-sidecar";
/** Milliseconds for which a restart, or a container that was killed, is worth a word. */
const LATELY = 24 * 3_600_000;

export const podChecks: readonly Check[] = [
  {
    id: "pods-scheduled",
    category: "sidecars",
    phase: "during",
    title: "every pod has found a node",
    tells: "Reads what the scheduler says of pods without one: too little CPU or memory, taints, volumes.",
    remedy: "make room, or add nodes; for a volume see `consul-volumes` or `etcd-volumes`",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const found = (await pods(context)).flatMap((pod) => {
        const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
        return scheduled?.status === "False"
          ? [`${titleOf(pod)}: ${scheduled.message ?? scheduled.reason ?? "no reason given"}`]
          : [];
      });
      return judged(found, "pods wait for room");
    },
  },
  {
    id: "pods-start",
    category: "sidecars",
    phase: "during",
    title: "no container is kept from starting",
    tells:
      "Reads why containers wait: an image that can't be pulled, a Secret or ConfigMap that is missing, a program that ends again and again.",
    remedy: "`kubectl describe pod` says more; images must be in imageRegistry, and nodes must be let in there",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const found = (await pods(context)).flatMap((pod) =>
        statusesOf(pod).flatMap(({ name, state }) => {
          const { reason = "", message } = state?.waiting ?? {};
          return STUCK.test(reason)
            ? [`${titleOf(pod)} ${name}: ${reason}${message === undefined ? "" : `, ${message.slice(0, 160)}`}`]
            : [];
        }),
      );
      return judged(found, "containers don't start");
    },
  },
  {
    id: "sidecar-restarts",
    category: "sidecars",
    phase: "after",
    title: "no container of the zones was restarted lately",
    tells:
      "Reads how often containers of running pods were restarted, and when they ended last; a day is lately. Start gates that tried again are not counted.",
    remedy: "`kubectl logs --previous` has the last words of the run before",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const found = (await pods(context)).flatMap((pod) =>
        statusesOf(pod)
          .filter(
            ({ name, restartCount, lastState }) =>
              name !== "start-gate" && restartCount > 0 && isLate(lastState?.terminated?.finishedAt, context),
          )
          .map(({ name, restartCount, lastState }) => {
            const { exitCode, reason } = lastState?.terminated ?? {};
            return `${titleOf(pod)} ${name}: ${String(restartCount)} times, last by ${reason ?? "no reason"} (status ${String(exitCode ?? "unknown")})`;
          }),
      );
      return judged(found, "containers were restarted", undefined, warning);
    },
  },
  {
    id: "oom-kills",
    category: "sidecars",
    phase: "after",
    title: "no container of the zones was killed for want of memory lately",
    tells: "Reads why containers of the present pods ended last; a day is lately. Pods that are gone are not seen.",
    remedy:
      "raise the limit: of an application `resources` in the document, of a sidecar `load`, which its limits follow",
    more: "sidecar.md#resources",
    needs: ["namespaces-there"],
    run: async (context) => {
      const found = (await pods(context)).flatMap((pod) =>
        statusesOf(pod)
          .filter(({ state, lastState }) =>
            [state, lastState].some(
              (one) => one?.terminated?.reason === "OOMKilled" && isLate(one.terminated.finishedAt, context),
            ),
          )
          .map(({ name }) => `${titleOf(pod)} ${name}`),
      );
      return judged(found, "containers need more memory than they may have");
    },
  },
  {
    id: "ephemeral-containers",
    category: "sidecars",
    phase: "after",
    title: "no pod of the zones has an ephemeral container that runs",
    tells:
      "Looks for containers that somebody added to a running pod (`kubectl debug`): what runs there calls as the pod's service. Those that are over are told as a warning, for the pod keeps them.",
    remedy: "delete the pod, and see who could add a container past the admission policies",
    more: "admission.md#what-they-refuse",
    needs: ["namespaces-there"],
    run: async (context) => {
      const added = (await pods(context)).flatMap((pod) =>
        (pod.spec.ephemeralContainers ?? []).map(({ name }) => {
          const status = pod.status?.ephemeralContainerStatuses?.find((one) => one.name === name);
          return { text: `${titleOf(pod)} ${name}`, over: status?.state?.terminated !== undefined };
        }),
      );
      const running = added.filter(({ over }) => !over).map(({ text }) => text);
      if (running.length > 0) return failure("somebody is in these pods", running);
      return added.length === 0
        ? ok()
        : warning(
            "somebody was in these pods",
            added.map(({ text }) => text),
          );
    },
  },
];

async function pods({ live }: CheckContext): Promise<readonly Pod[]> {
  return (await live.inZones(KINDS.pods)).filter((pod) => !isOver(pod));
}

function isLate(instant: string | undefined, { now }: CheckContext): boolean {
  return instant === undefined || now().getTime() - Date.parse(instant) < LATELY;
}
