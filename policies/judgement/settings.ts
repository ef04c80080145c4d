import type { PolicyConfigSchema } from "@pulumi/policy";
import { LUCID_CEILING } from "../ceiling";
import type { Ceiling, CeilingKey } from "../ceiling";

const texts = { type: "array", items: { type: "string" } } as const;
const reasoned = { type: "object", additionalProperties: { type: "string" } } as const;

/** What each key may be replaced by in CrossGuard's policy configuration. */
const SCHEMAS: Readonly<Record<CeilingKey, PolicyConfigSchema["properties"][string]>> = {
  members: { type: "object", additionalProperties: texts, description: "Zone to the names of its members." },
  infrastructure: { ...reasoned, description: "`<zone>/<service>` of members without a sidecar, to the reason." },
  joined: { ...reasoned, description: "`<zone>/<service>` of members whose pods another stack brings, to the reason." },
  externals: {
    type: "object",
    description: "Parties outside the mesh: `{namespace, labels}` or `{cidrs, widestPrefix}`.",
  },
  edges: {
    type: "array",
    items: { type: "object" },
    description: "Allowed edges: `{from, to, ports, sides?, reason}`.",
  },
  authenticators: { ...texts, description: "`<zone>/<service>` of those who may be asked about callers." },
  images: { ...texts, description: "Image repositories, registry first." },
  sidecarImage: { type: "string", description: "Repository of the sidecar's image." },
  startGateImages: { ...texts, description: "Repositories of start gates." },
  kinds: { ...reasoned, description: "`<group>/<kind>` of Kubernetes objects, to the reason." },
  packages: { ...reasoned, description: "Packages other than Kubernetes, to the reason." },
};

/** Schema of the keys that a rule uses. */
export function configSchema(uses: readonly CeilingKey[]): PolicyConfigSchema {
  return { properties: Object.fromEntries(uses.map((key) => [key, SCHEMAS[key]])) };
}

/** The ceiling with a policy's configuration laid over it, key by key. The engine has checked the configuration against {@link configSchema}. */
export function ceilingWith(configuration: Readonly<Record<string, unknown>>): Ceiling {
  const replaced = Object.keys(configuration).filter((key) => key in LUCID_CEILING);
  return Object.assign({}, LUCID_CEILING, ...replaced.map((key) => ({ [key]: configuration[key] }))) as Ceiling;
}
