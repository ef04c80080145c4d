import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../mesh";
import type { MeshContext } from "../mesh-service";
import { APPLICATION_UID, restrictedContainer, restrictedPod } from "../pods/pod";
import type { PodTemplate } from "../pods/pod-template";
import { IMAGES } from "../versions";
import { CONFIG_FOLDER, CONFIG_MOUNT, configuredService } from "./configured-service";
import { JAEGER_MEMORY_MIB, jaegerConfig } from "./jaeger-config";

const CONFIG_FILE = "jaeger.yaml";

export interface JaegerArgs {
  readonly context: MeshContext;
  readonly service: Service;
}

/** Jaeger, a service of the Ops plane: every sidecar sends it spans through both their sidecars; its page is read like any service. */
export class Jaeger extends pulumi.ComponentResource {
  /** Known once everything that its sidecar reads is there. */
  readonly written: pulumi.Output<string>;

  constructor(name: string, args: JaegerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:Jaeger", name, {}, opts);
    const { service, context } = args;
    const pod: PodTemplate = {
      spec: {
        securityContext: restrictedPod(),
        containers: [
          {
            name: "jaeger",
            image: IMAGES.jaeger,
            args: [`--config=${CONFIG_FOLDER}/${CONFIG_FILE}`],
            ports: service.ports.map(({ name: portName, port }) => ({ name: portName, containerPort: port })),
            resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: `${JAEGER_MEMORY_MIB}Mi` } },
            // Go collects its garbage the harder the nearer it comes.
            env: [{ name: "GOMEMLIMIT", value: `${Math.floor(JAEGER_MEMORY_MIB * 0.9)}MiB` }],
            securityContext: restrictedContainer(APPLICATION_UID),
            volumeMounts: [CONFIG_MOUNT],
          },
        ],
      },
    };
    const own = configuredService(
      name,
      { context, service, files: { [CONFIG_FILE]: jaegerConfig(service) }, pod },
      this,
    );
    this.written = own.written;
    this.registerOutputs({});
  }
}
