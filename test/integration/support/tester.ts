import type { V1ContainerState, V1PodStatus } from "@kubernetes/client-node";
import type { Service } from "../../../mesh";
import { core, exec, podOf, strategicPatch } from "./cluster";
import type { PodRef } from "./cluster";
import { withoutAdmission } from "./admission";
import { eventually } from "./eventually";

const NAME = "tester";
const IMAGE = "busybox:1.35.0";
const UID = 65530;

/** A shell in a service's pod. */
export interface Tester extends PodRef {
  readonly container: string;
}

/**
 * Adds an ephemeral container with a shell to a pod of a service, or of infrastructure: it stands in the pod's own network, under its NetworkPolicy. Once per pod, and once
 * more where the last one is over (its time ran out, or its node went down): an ephemeral container is neither restarted nor taken away.
 */
export async function testerIn(service: Pick<Service, "name" | "namespace">): Promise<Tester> {
  const pod = await podOf(service);
  const { spec, status } = await core.readNamespacedPod(pod);
  const there = (spec?.ephemeralContainers ?? []).map(({ name }) => name).filter((name) => name.startsWith(NAME));
  const over = (name: string) => stateIn(status, name)?.terminated !== undefined;
  const found = there.find((name) => !over(name));
  const container = found ?? `${NAME}-${there.length + 1}`;
  if (found === undefined) await add(pod, container);
  await eventually(`${container} in ${pod.name}`, async () => {
    const state = stateIn((await core.readNamespacedPod(pod)).status, container);
    if (state?.running === undefined) throw new Error(JSON.stringify(state ?? "not there"));
  });
  return { ...pod, container };
}

function stateIn(status: V1PodStatus | undefined, container: string): V1ContainerState | undefined {
  return status?.ephemeralContainerStatuses?.find(({ name }) => name === container)?.state;
}

async function add(pod: PodRef, name: string): Promise<void> {
  const body = { spec: { ephemeralContainers: [shell(name)] } };
  await withoutAdmission(() => core.patchNamespacedPodEphemeralcontainers({ ...pod, body }, strategicPatch));
}

/** A container with a shell and nothing else, for two hours. */
export function shell(name: string) {
  return {
    name,
    image: IMAGE,
    command: ["sleep", "7200"],
    securityContext: {
      runAsNonRoot: true,
      runAsUser: UID,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}

/** Whether a TCP connection from inside the pod to this address is made within two seconds. */
export async function connects(from: Tester, address: string, port: number): Promise<boolean> {
  const { code } = await exec(from, from.container, ["sh", "-c", `nc -w 2 ${address} ${port} </dev/null`]);
  return code === 0;
}
