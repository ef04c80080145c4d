import type { Application, Service, ServiceVersion } from "../../mesh";
import { versionWorkloadName } from "../../mesh";
import { APPLICATION_UID, restrictedContainer, restrictedPod } from "./pod";
import type { PodTemplate, VersionPod } from "./pod-template";

/** The pod of a service that the document describes in full. */
export function applicationPod(service: Service, workload: Application): PodTemplate {
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

/** The pods of a service's versions. */
export function versionPods(service: Service, versions: readonly ServiceVersion[]): VersionPod[] {
  return versions.map((version) => ({
    name: version.name,
    workload: versionWorkloadName(service.name, version.name),
    replicas: version.replicas,
    pod: applicationPod(service, version),
  }));
}
