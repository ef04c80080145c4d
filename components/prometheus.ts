import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { Service } from "../mesh";
import type { MeshContext } from "./mesh-service";
import { MeshService } from "./mesh-service";
import { APPLICATION_UID, objectLabels, restrictedContainer, restrictedPod } from "./pod";
import { prometheusConfig } from "./prometheus-config";
import { IMAGES } from "./versions";

export interface PrometheusArgs {
  readonly context: MeshContext;
  readonly service: Service;
}

/** Prometheus, a service of the Ops plane: it scrapes every sidecar by mutual TLS, and is read through its own. */
export class Prometheus extends pulumi.ComponentResource {
  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:Prometheus", name, {}, opts);
    const { service, context } = args;
    const zone = context.zones[service.zone];
    const port = service.ports[0].port;
    const configuration = prometheusConfig(context.mesh);
    const configMap = new kubernetes.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: {
          name: `${service.name}-config`,
          namespace: service.namespace,
          labels: objectLabels(service.name, service.zone),
        },
        data: { "prometheus.yaml": configuration },
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
          // Prometheus reads its configuration at start.
          metadata: {
            annotations: {
              "lucid.internal/config-digest": createHash("sha256").update(configuration).digest("hex").slice(0, 16),
            },
          },
          spec: {
            securityContext: restrictedPod(APPLICATION_UID),
            containers: [
              {
                name: "prometheus",
                image: IMAGES.prometheus,
                command: ["prometheus"],
                args: [
                  "--config.file=/etc/prometheus/prometheus.yaml",
                  "--storage.tsdb.path=/prometheus",
                  "--storage.tsdb.retention.time=7d",
                  "--storage.tsdb.retention.size=1GB",
                  `--web.listen-address=127.0.0.1:${port}`,
                ],
                env: [{ name: "METRICS_PORT", value: String(port) }],
                ports: [{ name: "http", containerPort: port }],
                resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
                securityContext: restrictedContainer(APPLICATION_UID),
                volumeMounts: [
                  { name: "config", mountPath: "/etc/prometheus", readOnly: true },
                  { name: "data", mountPath: "/prometheus" },
                ],
              },
            ],
            volumes: [
              { name: "config", configMap: { name: `${service.name}-config` } },
              { name: "data", emptyDir: { sizeLimit: "2Gi" } },
            ],
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
