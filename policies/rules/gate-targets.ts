import type { Ceiling } from "../ceiling";
import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";
import { makesPods, podTemplates } from "../kubernetes/pods";
import { isInfrastructure } from "../kubernetes/workload";
import { addressTried } from "./start-gate";

/** The Service that the start gates try. */
const TARGET = { namespace: "lucid-mesh", name: "node-resolver" } as const;

/** Where the plan has the node resolver's Service, the start gates try that address: at another, nothing listens on the canary port, policy or no policy. */
export function gatesElsewhere(
  resources: readonly StackResource[],
  ceiling: Pick<Ceiling, "members" | "infrastructure">,
): StackFinding[] {
  const addresses = resources.filter(isTarget).map(({ properties }) => properties.at("spec", "clusterIP"));
  const [address, ...others] = addresses;
  if (address === undefined || others.length > 0 || !address.isText) return [];
  return resources
    .filter(({ type }) => makesPods(type))
    .flatMap((resource) =>
      findingsIn(resource, (_, findings) => {
        const object = KubeObject.of(resource);
        if (!object?.concernsMesh) return;
        for (const template of podTemplates(object)) {
          if (isInfrastructure(object, template, ceiling)) continue;
          const tried = addressTried(template.spec);
          // Without one it is no start gate, which `sidecar-required` finds.
          if (tried === undefined) continue;
          findings.require(
            tried.is(address.text() ?? ""),
            tried,
            `the start gate tries ${tried.shown()}, and the node resolver is at ${address.shown()}`,
            "give it the node resolver's address",
          );
        }
      }),
    );
}

function isTarget(resource: StackResource): boolean {
  if (!isKind(resource.type, "Service")) return false;
  const object = KubeObject.of(resource);
  return object?.namespace.is(TARGET.namespace) === true && object.metadata.at("name").is(TARGET.name);
}
