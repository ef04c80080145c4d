import type { Message, Value } from "../../../envoy/message";
import type { SidecarFiles } from "../../../envoy/render";
import { fromYaml, toYaml } from "../../../envoy/yaml";

/**
 * One static bootstrap from the same listeners and clusters, for `envoy --mode validate`: that mode does not look into LDS and CDS files at all.
 *
 * @param root put before every file path, so that the certificates the sidecar finds in its volumes may lie elsewhere. Default: none.
 */
export function assembleStatic(files: SidecarFiles, root = ""): string {
  const bootstrap = fromYaml(files["bootstrap.yaml"]);
  const own = bootstrap.static_resources as Message;
  const assembled: Message = {
    ...without(bootstrap, "dynamic_resources"),
    static_resources: {
      listeners: resourcesOf(files["listeners.yaml"]),
      clusters: [...(own.clusters as Message[]), ...resourcesOf(files["clusters.yaml"])],
    },
  };
  return toYaml(root === "" ? assembled : (relocate(assembled, root) as Message));
}

/** The resources of an LDS or CDS file, without the type that a static list implies. */
function resourcesOf(file: string): Message[] {
  return (fromYaml(file).resources as Message[]).map((resource) => without(resource, "@type"));
}

function without(message: Message, field: string): Message {
  return Object.fromEntries(Object.entries(message).filter(([key]) => key !== field));
}

/** Only `path` and `filename` of Envoy's file references start with `/etc/envoy` or `/var/run/envoy`, and the two places in `%FILE_CONTENT(<file>:<folder>)%`. */
function relocate(value: Value, root: string): Value {
  if (typeof value === "string") {
    return value.replaceAll(/(^|[(:])(?=\/(?:etc|var\/run)\/envoy(?:\/|$))/g, `$1${root}`);
  }
  if (Array.isArray(value)) {
    return value.map((item: Value) => relocate(item, root));
  }
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, relocate(field, root)]));
  }
  return value;
}
