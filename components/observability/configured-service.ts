import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { Service } from "../../mesh";
import type { MeshContext } from "../mesh-service";
import { MeshService, zoneOf } from "../mesh-service";
import { objectLabels } from "../pods/pod";
import type { PodTemplate } from "../pods/pod-template";

/** Folder of the configuration files, in the application's container. */
export const CONFIG_FOLDER = "/etc/application";
/** Mounts them; for the container that reads them. */
export const CONFIG_MOUNT = { name: "application-config", mountPath: CONFIG_FOLDER, readOnly: true } as const;

export interface ConfiguredServiceArgs {
  readonly context: MeshContext;
  readonly service: Service;
  /** Texts of its files, by their names below `CONFIG_FOLDER`. */
  readonly files: Readonly<Record<string, string>>;
  /** The application's pod; the container that reads the files mounts them by `CONFIG_MOUNT`. */
  readonly pod: PodTemplate;
}

/** A service whose application reads its configuration files at its start, so that a change of one rolls the pods. */
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
      data: args.files,
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
          annotations: {
            ...pod.metadata?.annotations,
            "lucid.internal/config-digest": digest(Object.values(args.files).join("")),
          },
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
