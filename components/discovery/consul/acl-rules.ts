import { isJob, type Mesh, type Zone } from "../../../mesh";
import { NODE_RESOLVER } from "../../../mesh/wire";

/** Prefix of the synthetic catalogue nodes under which a zone's pods are registered. */
export function registrationNodePrefix(zone: Zone): string {
  return `${zone.namespace}-`;
}

/**
 * Who registers for a zone may write the zone's own services, on the zone's own nodes, and nothing else. A job is not registered. A revoked service can't be
 * registered either; what of it is registered can be taken out by the right to its node.
 */
export function registrarRules(mesh: Mesh, zone: Zone): string {
  const services = mesh.services.filter(
    (service) => service.zone === zone.name && !isJob(service) && service.revoked === undefined,
  );
  return rules([
    ["node_prefix", registrationNodePrefix(zone), "write"],
    ...services.map((service): Rule => ["service", service.name, "write"]),
  ]);
}

/** A node resolver's agent keeps its own node, and reads every name for DNS. Consul's ACLs hide no name from resolvers. */
export function resolverRules(): string {
  return rules([
    ["node_prefix", `${NODE_RESOLVER.service}-`, "write"],
    ["node_prefix", "", "read"],
    ["service_prefix", "", "read"],
  ]);
}

/**
 * Who compares Consul's ACLs with what was declared reads them, and nothing else: Consul shows the bearer every policy, role, token, auth method and binding rule, and no
 * token's secret. It knows no narrower right.
 */
export function aclReaderRules(): string {
  return 'acl = "read"\n';
}

/**
 * Who takes snapshots may write ACLs: Consul asks no less of `GET /v1/snapshot`, which shows every token, and knows no narrower right. Whoever may write ACLs can give
 * himself all the others, so this token is worth as much as the management token.
 */
export function snapshotRules(): string {
  return 'acl = "write"\n';
}

type Rule = readonly [kind: "node_prefix" | "service" | "service_prefix", name: string, policy: "read" | "write"];

/** Consul's ACL rule language (https://developer.hashicorp.com/consul/docs/security/acl/acl-rules). */
function rules(list: readonly Rule[]): string {
  return list.map(([kind, name, policy]) => `${kind} ${JSON.stringify(name)} {\n  policy = "${policy}"\n}\n`).join("");
}
