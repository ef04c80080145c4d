import type { ApplicationWorkload, Service } from "../mesh";
import { APPLICATION_UID, restrictedContainer, restrictedPod } from "./pod";
import type { PodTemplate } from "./pod-template";

/** The pod of a service that the document describes in full. */
export function applicationPod(service: Service, workload: ApplicationWorkload): PodTemplate {
  return {
    spec: {
      securityContext: restrictedPod(),
      containers: [
        {
          name: "app",
          image: workload.image,
          ...(workload.command === undefined ? {} : { command: [...workload.command] }),
          args: [...workload.args],
          env: Object.entries(workload.env).map(([name, value]) => ({ name, value })),
          ports: service.ports.map(({ name, port }) => ({ name, containerPort: port })),
          resources: { requests: { ...workload.resources.requests }, limits: { ...workload.resources.limits } },
          securityContext: restrictedContainer(APPLICATION_UID),
        },
      ],
    },
  };
}
