import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { Service } from "../mesh";
import { jaegerConfig } from "./jaeger-config";
import type { MeshContext } from "./mesh-service";
import { MeshService } from "./mesh-service";
import { APPLICATION_UID, objectLabels, restrictedContainer, restrictedPod } from "./pod";
import { IMAGES } from "./versions";

export interface JaegerArgs {
  readonly context: MeshContext;
  readonly service: Service;
}

/** Jaeger, a service of the Ops plane: every sidecar sends it spans through both their sidecars; its page is read like any service. */
export class Jaeger extends pulumi.ComponentResource {
  constructor(name: string, args: JaegerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:Jaeger", name, {}, opts);
    const { service, context } = args;
    const zone = context.zones[service.zone];
    const configuration = jaegerConfig(service);
    const configMap = new kubernetes.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: {
          name: `${service.name}-config`,
          namespace: service.namespace,
          labels: objectLabels(service.name, service.zone),
        },
        data: { "jaeger.yaml": configuration },
      },
      { parent: this, dependsOn: zone.isolation },
    );
    new MeshService(
      name,
      {
        context,
        service,
        waitFor: [configMap],
        pod: {
          metadata: {
            annotations: {
              "lucid.internal/config-digest": createHash("sha256").update(configuration).digest("hex").slice(0, 16),
            },
          },
          spec: {
            securityContext: restrictedPod(),
            containers: [
              {
                name: "jaeger",
                image: IMAGES.jaeger,
                args: ["--config=/etc/jaeger/jaeger.yaml"],
                ports: service.ports.map(({ name: portName, port }) => ({ name: portName, containerPort: port })),
                resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "512Mi" } },
                securityContext: restrictedContainer(APPLICATION_UID),
                volumeMounts: [{ name: "config", mountPath: "/etc/jaeger", readOnly: true }],
              },
            ],
            volumes: [{ name: "config", configMap: { name: `${service.name}-config` } }],
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
