import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";
import { KubeObject } from "../kubernetes/object";

const GROUP = "rbac.authorization.k8s.io";

/** A binding gives what its role names; a role that the plan does not have, nobody judges. */
export function unjudgedBindings(resources: readonly StackResource[]): StackFinding[] {
  const roles = new Set<string>();
  const bindings: { readonly resource: StackResource; readonly object: KubeObject }[] = [];
  for (const resource of resources) {
    const object = KubeObject.of(resource);
    if (object?.group !== GROUP) continue;
    if (object.kind.endsWith("Binding")) bindings.push({ resource, object });
    else {
      // A role whose name can't be told is found where it is judged itself, and backs no binding.
      findingsIn(resource, () => {
        roles.add(key(object.kind, object.kind === "Role" ? object.namespace.text() : undefined, object.name));
      });
    }
  }
  return bindings.flatMap(({ resource, object }) =>
    findingsIn(resource, (_, findings) => {
      const role = object.body.at("roleRef");
      const kind = role.at("kind").text() ?? "";
      const namespace = kind === "Role" ? object.namespace.text() : undefined;
      findings.require(
        roles.has(key(kind, namespace, role.at("name").text())),
        role,
        `the plan does not have the ${kind} ${role.at("name").shown()}, so nobody judges what the binding gives`,
        "declare the role in the same stack",
      );
    }),
  );
}

function key(kind: string, namespace: string | undefined, name: string | undefined): string {
  return `${kind} ${namespace ?? ""}/${name ?? ""}`;
}
