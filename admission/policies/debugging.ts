/** Nobody gets into a running pod by another way than its own containers, and nobody into its sidecar, where its key is, or into an issuer. */
import { inZones, NO_DRY_RUN, resources } from "../match";
import type { AdmissionPolicy } from "../model";
import { isIssuerPod } from "./issuing";

export function ephemeralContainers(): AdmissionPolicy {
  return {
    name: "lucid-ephemeral-containers",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("", ["pods/ephemeralcontainers"], ["UPDATE"])]),
      matchConditions: [NO_DRY_RUN],
      validations: [
        {
          expression:
            "dyn(object).spec.?ephemeralContainers.orValue([]) == dyn(oldObject).spec.?ephemeralContainers.orValue([])",
          message:
            "an ephemeral container would call as the pod's service, and could take its sidecar's place; look into a container that is there with `kubectl exec`, or at its logs and metrics",
        },
      ],
    },
  };
}

export function exec(): AdmissionPolicy {
  return {
    name: "lucid-exec",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("", ["pods/exec", "pods/attach"], ["CONNECT"])]),
      matchConditions: [NO_DRY_RUN],
      validations: [
        {
          expression: 'dyn(object).?container.orValue("") != "sidecar"',
          message:
            "a process in the sidecar reads the service's private key and identity token; look at `kubectl logs -c sidecar`, and from the application's container at 127.0.0.1:15000/stats",
        },
        {
          expression: `!${isIssuerPod("request.name")}`,
          message:
            "a process in an issuer's pod can sign for its zone; look at `kubectl logs`, and by a port-forward at /health and /metrics",
        },
      ],
    },
  };
}
