import type { Service } from "../../../mesh";
import { core, exec, podOf, strategicPatch } from "./cluster";
import type { PodRef } from "./cluster";
import { eventually } from "./eventually";

const NAME = "tester";
const IMAGE = "busybox:1.35.0";
const UID = 65530;

/**
 * Adds an ephemeral container with a shell to a service's pod: it stands in the pod's own network, under its NetworkPolicy. Once per pod.
 */
export async function testerIn(service: Service): Promise<PodRef> {
  const pod = await podOf(service);
  const { spec } = await core.readNamespacedPod(pod);
  if (!(spec?.ephemeralContainers ?? []).some(({ name }) => name === NAME)) {
    const container = {
      name: NAME,
      image: IMAGE,
      command: ["sleep", "3600"],
      securityContext: {
        runAsNonRoot: true,
        runAsUser: UID,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
    };
    await core.patchNamespacedPodEphemeralcontainers(
      { ...pod, body: { spec: { ephemeralContainers: [container] } } },
      strategicPatch,
    );
  }
  await eventually(`the tester in ${pod.name}`, async () => {
    const { status } = await core.readNamespacedPod(pod);
    const state = status?.ephemeralContainerStatuses?.find(({ name }) => name === NAME)?.state;
    if (state?.running === undefined) throw new Error(JSON.stringify(state ?? "not there"));
  });
  return pod;
}

/** Whether a TCP connection from inside the pod to this address is made within two seconds. */
export async function connects(from: PodRef, address: string, port: number, container = NAME): Promise<boolean> {
  const { code } = await exec(from, container, ["sh", "-c", `nc -w 2 ${address} ${port} </dev/null`]);
  return code === 0;
}
