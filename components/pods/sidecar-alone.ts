import { restrictedContainer, restrictedPod, APPLICATION_UID } from "./pod";
import type { PodTemplate } from "./pod-template";
import { graceAfter } from "../../mesh/drain";
import { IMAGES } from "../versions";

/** Waits to be ended, and ends at once: the shell is process 1, which a signal only reaches that it asks for. */
const WAIT = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done";

/**
 * A pod whose sidecar does all that it does: the way out to a service outside the cluster, a datacenter's gateway. A pod has a container beside the sidecar, and this one does
 * nothing, by an image that is on the node already. It ends at once, and the sidecar with it: what is under way has to end before.
 *
 * @param drainSeconds how long the sidecar goes on after the pod is told to end
 */
export function sidecarAlonePod(drainSeconds: number): PodTemplate {
  return {
    spec: {
      terminationGracePeriodSeconds: graceAfter(drainSeconds),
      securityContext: restrictedPod(),
      containers: [
        {
          name: "app",
          image: IMAGES.envoy,
          command: ["/bin/sh", "-c", WAIT],
          lifecycle: { preStop: { sleep: { seconds: drainSeconds } } },
          resources: { requests: { cpu: "5m", memory: "8Mi" }, limits: { memory: "16Mi" } },
          securityContext: restrictedContainer(APPLICATION_UID),
        },
      ],
    },
  };
}
