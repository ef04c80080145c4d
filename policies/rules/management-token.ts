import { CONSUL } from "../consul/resources";
import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";
import { KubeObject, kindOf } from "../kubernetes/object";

/** The one object that may hold the token: what Consul's servers start from. That nobody else reads it is `secrets-own-only`. */
const HOLDER = { namespace: "lucid-mesh", name: "consul-config" } as const;

/**
 * The token by which the stack manages Consul may do everything there, so no workload has it but Consul's own servers. It is unknown at preview, and told by where it
 * comes from: what the provider's token is made of, goes into their configuration and into no other object of Kubernetes.
 */
export function managementTokenElsewhere(resources: readonly StackResource[]): StackFinding[] {
  const sources = new Set(
    resources
      .filter(({ type }) => type === CONSUL.provider)
      .flatMap((provider) => provider.origins("token").map(({ urn }) => urn)),
  );
  if (sources.size === 0) return [];
  return resources
    .filter(({ type }) => kindOf(type) !== undefined)
    .flatMap((resource) =>
      findingsIn(resource, (_, findings) => {
        const holding = resource.properties
          .keys()
          .filter((property) => resource.origins(property).some(({ urn }) => sources.has(urn)));
        if (holding.length === 0 || isHolder(resource)) return;
        findings.add(
          holding[0] ?? "",
          "it is made of Consul's management token, which may do everything",
          "give it a token of its own, by a policy that names what it may do",
        );
      }),
    );
}

function isHolder(resource: StackResource): boolean {
  const object = KubeObject.of(resource);
  return (
    object?.groupKind === "core/Secret" &&
    object.namespace.is(HOLDER.namespace) &&
    object.metadata.at("name").is(HOLDER.name)
  );
}
