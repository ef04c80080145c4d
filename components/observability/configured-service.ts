import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { Service } from "../../mesh";
import type { MeshContext } from "../mesh-service";
import { MeshService, zoneOf } from "../mesh-service";
import { objectLabels } from "../pods/pod";
import type { PodTemplate } from "../pods/pod-template";

/** Folder of the configuration file, in the application's container. */
export const CONFIG_FOLDER = "/etc/application";
/** Mounts the file; for the container that reads it. */
export const CONFIG_MOUNT = { name: "application-config", mountPath: CONFIG_FOLDER, readOnly: true } as const;

export interface ConfiguredServiceArgs {
  readonly context: MeshContext;
  readonly service: Service;
  /** Name of the configuration file below `CONFIG_FOLDER`. */
  readonly file: string;
  readonly configuration: string;
  /** The application's pod; the container that reads the file mounts it by `CONFIG_MOUNT`. */
  readonly pod: PodTemplate;
}

/** A service whose application reads one configuration file at its start, so that a change of it rolls the pods. */
export function configuredService(name: string, args: ConfiguredServiceArgs, parent: pulumi.Resource): MeshService {
  const { service, context, pod } = args;
  const configMap = new kubernetes.core.v1.ConfigMap(
    `${name}-config`,
    {
      metadata: {
        name: `${service.name}-config`,
        namespace: service.namespace,
        labels: objectLabels(service.name, service.zone),
      },
      data: { [args.file]: args.configuration },
    },
    { parent, dependsOn: zoneOf(context, service).isolation },
  );
  return new MeshService(
    name,
    {
      context,
      service,
      waitFor: [configMap],
      pod: {
        metadata: {
          annotations: { ...pod.metadata?.annotations, "lucid.internal/config-digest": digest(args.configuration) },
        },
        spec: {
          ...pod.spec,
          volumes: [
            ...(pod.spec.volumes ?? []),
            { name: CONFIG_MOUNT.name, configMap: { name: `${service.name}-config` } },
          ],
        },
      },
    },
    { parent },
  );
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
