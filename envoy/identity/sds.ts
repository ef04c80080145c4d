import { any, type Message } from "../message";
import { toYaml } from "../yaml";

/**
 * A secret from a file of a mounted volume. It is read through `..data`, the symlink by which kubelet changes all files of a volume at once: the name of a
 * *new* file beside it is linked a moment later, and a listener that asked for it in between would be rejected for good.
 */
export function secretFrom(name: string, directory: string, file: string): Message {
  return {
    name,
    sds_config: {
      path_config_source: { path: `${directory}/..data/${file}`, watched_directory: { path: directory } },
      resource_api_version: "V3",
    },
  };
}

/** An SDS file with one secret. */
export function secretFile(secret: Message): string {
  return toYaml({ resources: [any("envoy.extensions.transport_sockets.tls.v3.Secret", secret)] });
}
