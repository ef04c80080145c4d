/** Which requests policies look at. */
import { ZONES } from "../mesh";
import { WELL_KNOWN } from "../mesh/wire";
import type { NamedExpression, Operation, PolicySpec, ResourceRule } from "./model";

/** Label that Kubernetes itself puts on every namespace; nobody else can set it to another namespace's name. */
const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/** The zones' namespaces. */
export const NAMESPACES = ZONES.map((zone) => `lucid-${zone}`);

/** Requests to change objects in the zones' namespaces. */
export function inZones(
  resourceRules: readonly ResourceRule[],
  excludeResourceRules: readonly ResourceRule[] = [],
): PolicySpec["matchConstraints"] {
  return {
    namespaceSelector: { matchExpressions: [{ key: NAMESPACE_NAME, operator: "In", values: NAMESPACES }] },
    resourceRules,
    ...(excludeResourceRules.length === 0 ? {} : { excludeResourceRules }),
    matchPolicy: "Equivalent",
  };
}

/** Requests for resources of an API group, `""` being the core. */
export function resources(
  apiGroup: string,
  names: readonly string[],
  operations: readonly Operation[] = ["CREATE", "UPDATE"],
): ResourceRule {
  return { apiGroups: [apiGroup], apiVersions: ["*"], operations, resources: names, scope: "Namespaced" };
}

/** Everything that makes pods, and pods themselves. */
export const POD_MAKERS: readonly ResourceRule[] = [
  resources("", ["pods"]),
  resources("apps", ["deployments", "statefulsets", "daemonsets", "replicasets"]),
  resources("batch", ["jobs", "cronjobs"]),
];

/**
 * A dry run changes nothing, so nothing is refused: Pulumi previews by one what it will do *after* it has changed these policies.
 */
export const NO_DRY_RUN: NamedExpression = {
  name: "not-a-dry-run",
  expression: "!(has(request.dryRun) && request.dryRun)",
};

/** Under which name the mesh controller asks the Kubernetes API. */
export const CONTROLLER = `system:serviceaccount:lucid-mesh:${WELL_KNOWN.controller}`;

/** CEL: the name under which an issuer asks the Kubernetes API. */
function issuerAccount(issuer: string): string {
  return `"system:serviceaccount:lucid-mesh:" + ${issuer}`;
}

/** CEL: whether who asks is the issuer of the zone whose objects are concerned. */
export const BY_ITS_ISSUER = `request.userInfo.username == ${issuerAccount(`"issuer-" + request.namespace.substring(${"lucid-".length})`)}`;

/** Who asks is an account of a zone, and no person, nor one of Kubernetes' own. */
export const BY_A_SERVICE: NamedExpression = {
  name: "by-a-service-of-a-zone",
  expression: 'request.userInfo.username.startsWith("system:serviceaccount:lucid-")',
};

/** What was admitted once stays: only what changes in these fields is judged, so that a controller may scale or finish what is older than a policy. */
export function whereChanged(...fields: readonly string[]): NamedExpression {
  const same = fields.map((field) => `dyn(object).?${field} == dyn(oldObject).?${field}`).join(" && ");
  return { name: "changed", expression: `request.operation != "UPDATE" || !(${same})` };
}
