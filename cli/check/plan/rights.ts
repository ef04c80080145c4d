/** The rights that the program needs, that its Roles grant, and that checks need themselves. */
import { ZONES, namespaceOf } from "../../../mesh";
import { UNKNOWN } from "../../../policies/judgement/plain";
import { KINDS } from "../cluster/live";
import type { ApiResource } from "../cluster/live";
import type { Right } from "../cluster/cluster";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import type { PlannedObject } from "./declared";

/** What Pulumi does with an object: it makes, reads, changes and deletes it, and watches what comes of it. */
const VERBS = ["create", "get", "patch", "delete", "list", "watch"];

/** The group of an API version; `""` for the core. */
function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

/** For each kind and namespace of what the stack makes the right to do everything with it, and after that the rights that would do. */
export async function deployRights(context: CheckContext): Promise<readonly (readonly Right[])[]> {
  const rights = new Map<string, readonly Right[]>();
  const defined = await definedKinds(context);
  for (const { apiVersion, kind, metadata } of await declaredIn(context).own()) {
    const offered = await context.live.resources(apiVersion);
    const resource =
      offered?.find((one) => one.kind === kind && !one.name.includes("/")) ?? defined.get(`${apiVersion} ${kind}`);
    if (resource === undefined) continue;
    const { namespace } = metadata;
    const of = (verb: string): Right => ({
      verb,
      group: groupOf(apiVersion),
      resource: resource.name,
      ...(resource.namespaced && namespace !== undefined ? { namespace } : {}),
    });
    rights.set(`${resource.name} ${namespace ?? ""}`, [of("*"), ...VERBS.map(of)]);
  }
  return [...rights.values()];
}

/** Kinds that the plan itself defines, by `<apiVersion> <kind>`: the API server knows them once it is deployed. */
export async function definedKinds(context: CheckContext): Promise<ReadonlyMap<string, ApiResource>> {
  const definitions = await declaredIn(context).objects("CustomResourceDefinition");
  const served = definitions.flatMap(({ spec }) => {
    const { group, names, scope, versions } = spec as unknown as Definition;
    return versions.map(({ name }): [string, ApiResource] => [
      `${group}/${name} ${names.kind}`,
      { name: names.plural, kind: names.kind, namespaced: scope === "Namespaced" },
    ]);
  });
  return new Map(served);
}

/** What is read of a CustomResourceDefinition's spec. */
interface Definition {
  readonly group: string;
  readonly names: { readonly plural: string; readonly kind: string };
  readonly scope: string;
  readonly versions: readonly { readonly name: string }[];
}

/** The rights that a planned Role grants. */
export function granted(role: PlannedObject): readonly Right[] {
  const { namespace } = role.metadata;
  const rules = role.rules as unknown as readonly Readonly<Record<string, unknown>>[];
  return rules.flatMap((rule) => {
    const names = textsOf(rule.resourceNames);
    return textsOf(rule.apiGroups).flatMap((group) =>
      textsOf(rule.resources).flatMap((path) => {
        const [resource = "", subresource] = path.split("/");
        return textsOf(rule.verbs).flatMap((verb) =>
          (names.length === 0 ? [undefined] : names).map((name): Right => ({
            verb,
            group,
            resource,
            ...(subresource === undefined ? {} : { subresource }),
            ...(namespace === undefined ? {} : { namespace }),
            ...(name === undefined ? {} : { name }),
          })),
        );
      }),
    );
  });
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => item !== UNKNOWN).map(String) : [];
}

/** Kinds that are read in the zones' namespaces. */
const IN_ZONES = [
  KINDS.pods,
  KINDS.services,
  KINDS.configMaps,
  KINDS.secrets,
  KINDS.serviceAccounts,
  KINDS.volumeClaims,
  KINDS.deployments,
  KINDS.statefulSets,
  KINDS.daemonSets,
  KINDS.jobs,
  KINDS.cronJobs,
  KINDS.networkPolicies,
  KINDS.ingresses,
  KINDS.roles,
  KINDS.roleBindings,
  KINDS.disruptionBudgets,
  KINDS.meshServices,
];

/** Kinds that are read in the whole cluster, or lie in no namespace. */
const EVERYWHERE = [
  KINDS.nodes,
  KINDS.namespaces,
  KINDS.daemonSets,
  KINDS.secrets,
  KINDS.storageClasses,
  KINDS.clusterRoles,
  KINDS.clusterRoleBindings,
  KINDS.admissionPolicies,
  KINDS.admissionBindings,
  KINDS.mutatingWebhooks,
  KINDS.definitions,
];

/** The rights that checks need to read what they read. */
export function readRights(): readonly Right[] {
  const list = ({ apiVersion, plural }: { apiVersion: string; plural: string }, namespace?: string): Right => ({
    verb: "list",
    group: groupOf(apiVersion),
    resource: plural,
    ...(namespace === undefined ? {} : { namespace }),
  });
  return [
    ...EVERYWHERE.map((kind) => list(kind)),
    ...ZONES.flatMap((zone) => IN_ZONES.map((kind) => list(kind, namespaceOf(zone)))),
    list(KINDS.leases, "kube-node-lease"),
    list(KINDS.leases, "lucid-mesh"),
    list(KINDS.pods, "kube-system"),
    list(KINDS.endpointSlices, "default"),
  ];
}

/** `list secrets in lucid-ops`. */
export function rightText({ verb, group, resource, subresource, namespace, name }: Right): string {
  const what = `${resource}${subresource === undefined ? "" : `/${subresource}`}${group === "" ? "" : `.${group}`}`;
  return `${verb} ${what}${name === undefined ? "" : ` ${name}`}${namespace === undefined ? "" : ` in ${namespace}`}`;
}
