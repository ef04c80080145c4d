import * as pulumi from "@pulumi/pulumi";
import { firstPort, type Service } from "../../mesh";
import type { MeshContext } from "../mesh-service";
import { APPLICATION_UID, restrictedContainer, restrictedPod } from "../pods/pod";
import type { PodTemplate } from "../pods/pod-template";
import { IMAGES } from "../versions";
import { CONFIG_FOLDER, CONFIG_MOUNT, configuredService } from "./configured-service";
import { alertGroups, alertRulesFile } from "./alerts";
import { ALERTS_FILE, prometheusConfig } from "./prometheus-config";

const CONFIG_FILE = "prometheus.yaml";
const DATA_FOLDER = "/prometheus";

export interface PrometheusArgs {
  readonly context: MeshContext;
  readonly service: Service;
}

/** Prometheus, a service of the Ops plane: it scrapes every sidecar by mutual TLS, and is read through its own. */
export class Prometheus extends pulumi.ComponentResource {
  /** Known once everything that its sidecar reads is there. */
  readonly written: pulumi.Output<string>;

  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:Prometheus", name, {}, opts);
    const { service, context } = args;
    const { port } = firstPort(service);
    const pod: PodTemplate = {
      spec: {
        securityContext: restrictedPod(APPLICATION_UID),
        containers: [
          {
            name: "prometheus",
            image: IMAGES.prometheus,
            command: ["prometheus"],
            args: [
              `--config.file=${CONFIG_FOLDER}/${CONFIG_FILE}`,
              `--storage.tsdb.path=${DATA_FOLDER}`,
              "--storage.tsdb.retention.time=7d",
              "--storage.tsdb.retention.size=1GB",
              `--web.listen-address=127.0.0.1:${port}`,
            ],
            env: [{ name: "METRICS_PORT", value: String(port) }],
            ports: [{ name: "http", containerPort: port }],
            resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
            securityContext: restrictedContainer(APPLICATION_UID),
            volumeMounts: [CONFIG_MOUNT, { name: "data", mountPath: DATA_FOLDER }],
          },
        ],
        volumes: [{ name: "data", emptyDir: { sizeLimit: "2Gi" } }],
      },
    };
    const files = {
      [CONFIG_FILE]: prometheusConfig(context.mesh),
      [ALERTS_FILE]: alertRulesFile(alertGroups(context.mesh, context)),
    };
    const own = configuredService(name, { context, service, files, pod }, this);
    this.written = own.written;
    this.registerOutputs({});
  }
}
