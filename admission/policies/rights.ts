/** Rights inside a zone are named one by one, and given to somebody in particular. */
import { inZones, NO_DRY_RUN, resources, whereChanged } from "../match";
import type { AdmissionPolicy } from "../model";
import { keyHolders, keyReaders } from "./issuing";

const EVERYBODY = ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"];
const RISING = ["bind", "escalate", "impersonate"];

export function roles(): AdmissionPolicy {
  return {
    name: "lucid-roles",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("rbac.authorization.k8s.io", ["roles"])]),
      matchConditions: [NO_DRY_RUN, whereChanged("rules")],
      validations: [
        {
          expression:
            'dyn(object).?rules.orValue([]).all(rule, ["apiGroups", "resources", "verbs"].all(key, rule[?key].orValue([]).all(value, !value.contains("*"))))',
          message: "the Role has a wildcard; name each group, resource and verb",
        },
        {
          expression: `dyn(object).?rules.orValue([]).all(rule, !rule.verbs.exists(verb, verb in ${JSON.stringify(RISING)}))`,
          message: `the Role gives the right to take further rights (${RISING.join(", ")}); take it out`,
        },
        keyReaders(),
      ],
    },
  };
}

export function roleBindings(): AdmissionPolicy {
  return {
    name: "lucid-role-bindings",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("rbac.authorization.k8s.io", ["rolebindings"])]),
      matchConditions: [NO_DRY_RUN, whereChanged("roleRef", "subjects")],
      validations: [
        {
          expression: 'object.roleRef.kind == "Role"',
          message:
            "the RoleBinding binds a ClusterRole, whose rights nobody judges here; write a Role in this namespace, which names them one by one",
        },
        {
          expression: `dyn(object).?subjects.orValue([]).all(subject, !(subject.kind == "Group" && (subject.name in ${JSON.stringify(EVERYBODY)} || subject.name.startsWith("system:serviceaccounts:"))))`,
          message: "the RoleBinding gives rights to everybody; name the subjects one by one",
        },
        keyHolders(),
      ],
    },
  };
}
