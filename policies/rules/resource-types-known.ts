import type { ResourceRule } from "../judgement/rule";
import { kindOf } from "../kubernetes/object";

/** What no rule models, no rule can refuse: so it is refused here. */
export const resourceTypesKnown: ResourceRule = {
  name: "resource-types-known",
  description: "Every resource is of a type that the pack models or that the ceiling lists with a reason.",
  severity: "high",
  remediation: "Use a modelled type, or have the ceiling's owner list the type with its reason.",
  uses: ["kinds", "packages"],
  concerns: () => true,
  judge(resource, ceiling, findings) {
    const kind = kindOf(resource.type);
    if (kind === undefined) {
      const name = resource.type.split(":")[0] ?? "";
      findings.require(
        Object.hasOwn(ceiling.packages, name) || Object.hasOwn(ceiling.packages, resource.type),
        "",
        `no rule models resources of type \`${resource.type}\``,
        "take it out, or have the ceiling's owner list the type or its package with a reason",
      );
      return;
    }
    const groupKind = `${kind.group}/${kind.kind}`;
    const mend = kind.kind.endsWith("Patch")
      ? "declare the whole object: a patch shows the rules only a part of it"
      : "take it out, or have the ceiling's owner list the kind with a reason";
    findings.require(Object.hasOwn(ceiling.kinds, groupKind), "", `no rule models the kind ${groupKind}`, mend);
  },
};
