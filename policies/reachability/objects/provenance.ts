import { Field, Unjudgeable } from "../../judgement/field";
import type { StackResource } from "../../judgement/rule";
import { TLS, zoneOfAuthority } from "../../tls/resources";
import type { Provenance } from "../envoy";
import { objectTitle } from "../network/reading/cluster";
import type { PlannedObject } from "./plan";

/**
 * Says of trust files that only the update can know whose roots they will hold, by the resources that a ConfigMap's data comes from.
 *
 * A plan tells that of all data together and not of one file: the roots must be of zones that have a file there, those of each file that isn't known among
 * them. Which of several stands in which file is seen once they are known.
 *
 * @param datacenter that authorities here bear in their names, where there are several
 */
export function trustProvenance(planned: readonly PlannedObject<StackResource>[], datacenter?: string): Provenance {
  const resources = new Map(
    planned.flatMap(({ resource, object }) => {
      const field = new Field(object);
      return field.at("kind").is("ConfigMap") ? [[objectTitle(field), resource] as const] : [];
    }),
  );
  return (title, file) => {
    const resource = resources.get(title);
    const zone = file.replace(/\.yaml$/, "");
    return resource !== undefined && isProven(resource, datacenter) ? zone : undefined;
  };
}

/** Whether the zones whose roots a ConfigMap is made from are those whose files it has. */
function isProven(resource: StackResource, datacenter: string | undefined): boolean {
  const roots = resource.origins("data").filter(({ type }) => type === TLS.selfSigned);
  const zones = new Set(roots.map((root) => zoneOfRoot(root, datacenter)));
  const files = resource.properties.at("data").entries();
  const hasFile = (zone: string | undefined) => files.some(([file]) => file === `${zone ?? ""}.yaml`);
  return (
    [...zones].every(hasFile) &&
    files.every(([file, entry]) => !entry.isUnknown || zones.has(file.replace(/\.yaml$/, "")))
  );
}

/** The zone that a root's certificate names; undefined where that can't be told. */
function zoneOfRoot({ properties }: StackResource, datacenter: string | undefined): string | undefined {
  try {
    return zoneOfAuthority(properties.at("subject", "commonName").text() ?? "", datacenter);
  } catch (error) {
    if (error instanceof Unjudgeable) return undefined;
    throw error;
  }
}
