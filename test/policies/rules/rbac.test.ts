import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import type { StackResource } from "../../../policies/judgement/rule";
import { unjudgedBindings } from "../../../policies/rules/bound-roles";
import { rbacLeastPrivilege } from "../../../policies/rules/rbac-least-privilege";
import { role, roleBinding } from "../fixtures/objects";
import { edit } from "../support/edit";
import type { Json } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import type { TestResource } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const CLUSTER_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole";
const may = (verb: string, group: string, resource: string, names?: Json[]) =>
  role([{ apiGroups: [group], resources: [resource], verbs: [verb], ...(names && { resourceNames: names }) }]);

describe("rbac-least-privilege", () => {
  describe("on a role", () => {
    refusesEach(rbacLeastPrivilege, role, [
      { title: "every verb", path: "rules[0].verbs[0]", value: "*", finds: /verbs: the role has a wildcard/ },
      { title: "every group", path: "rules[0].apiGroups[0]", value: "*", finds: /apiGroups: the role has a wildcard/ },
      { title: "every resource", path: "rules[0].resources[0]", value: "*", finds: /wildcard/ },
      { title: "every subresource", path: "rules[0].resources[0]", value: "pods/*", finds: /wildcard/ },
      { title: "every path", path: "rules[0].nonResourceURLs", value: ["/*"], finds: /wildcard/ },
      { title: "an unknown verb", path: "rules[0].verbs[0]", value: UNKNOWN, finds: /can't be known/ },
      { title: "unknown rules", path: "rules", value: UNKNOWN, finds: /can't be known/ },
      {
        title: "a sum of roles",
        path: "aggregationRule",
        value: { clusterRoleSelectors: [] },
        finds: /the sum of others/,
      },
      {
        title: "a part of Kubernetes' own roles",
        path: "metadata.labels",
        value: { "rbac.authorization.k8s.io/aggregate-to-view": "true" },
        finds: /adds these rights/,
      },
      ...["escalate", "bind", "impersonate"].map((verb) => ({
        title: verb,
        path: "rules[0].verbs[0]",
        value: verb,
        finds: /who has it has every right/,
      })),
    ]);

    for (const [verb, group, resource] of [
      ["list", "", "secrets"],
      ["get", "", "secrets"],
      ["create", "", "secrets"],
      ["create", "", "pods"],
      ["patch", "", "pods"],
      ["update", "", "pods/ephemeralcontainers"],
      ["create", "", "pods/exec"],
      ["get", "", "pods/exec"],
      ["create", "", "pods/portforward"],
      ["get", "", "nodes/proxy"],
      ["create", "", "serviceaccounts/token"],
      ["patch", "", "namespaces"],
      ["update", "apps", "deployments"],
      ["create", "batch", "cronjobs"],
      ["delete", "networking.k8s.io", "networkpolicies"],
      ["create", "rbac.authorization.k8s.io", "rolebindings"],
      ["create", "admissionregistration.k8s.io", "validatingadmissionpolicies"],
      ["update", "certificates.k8s.io", "certificatesigningrequests/approval"],
      ["patch", "discovery.k8s.io", "endpointslices"],
    ] as const) {
      it(`refuses to ${verb} ${group}/${resource} but by the ceiling's leave, even in a ClusterRole`, () => {
        const found = may(verb, group, resource);
        const without = { ...LUCID_CEILING, powers: {} };
        assertFinds(rbacLeastPrivilege, found, /have the ceiling's owner list the right under powers/, without);
        assertFinds(rbacLeastPrivilege, { ...found, type: CLUSTER_ROLE }, /under powers/, without);
        const powers = { [`${verb} ${group === "" ? "core" : group}/${resource}`]: "the tests' own" };
        assertPasses(rbacLeastPrivilege, found, { ...LUCID_CEILING, powers });
      });
    }

    it("lets nobody change admission policies but the mesh's own, by their names", () => {
      const change = (verb: string, names?: string[]) =>
        may(verb, "admissionregistration.k8s.io", "validatingadmissionpolicies", names);
      assertPasses(rbacLeastPrivilege, change("patch", ["lucid-network", "lucid-kept"]));
      for (const found of [change("patch"), change("patch", ["lucid-network", "others"])])
        assertFinds(rbacLeastPrivilege, found, /name those of the mesh one by one/);
      for (const verb of ["update", "delete", "deletecollection"])
        assertFinds(rbacLeastPrivilege, change(verb, ["lucid-network"]), /under powers/);
    });

    it("takes what is named, and what the ceiling gives leave for", () => {
      assertPasses(rbacLeastPrivilege, may("get", "", "secrets", ["payout-router-tls"]));
      assertFinds(rbacLeastPrivilege, may("list", "", "secrets", ["payout-router-tls"]), /keys of everybody/);
      assertPasses(rbacLeastPrivilege, may("patch", "", "pods/status"));
      assertFinds(rbacLeastPrivilege, may("patch", "", "pods/status"), /pods\/status/, {
        ...LUCID_CEILING,
        powers: {},
      });
      assertPasses(rbacLeastPrivilege, may("create", "", "configmaps"));
    });

    it("lets nobody rewrite what sidecars go by", () => {
      assertFinds(rbacLeastPrivilege, may("patch", "", "configmaps"), /it rewrites what sidecars go by/);
      const named = (...resourceNames: string[]) =>
        role([{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "patch"], resourceNames }]);
      assertPasses(rbacLeastPrivilege, named("mesh-tokens"));
      for (const name of ["payout-router-envoy", "payout-router-trust", "node-resolver-corefile"])
        assertFinds(rbacLeastPrivilege, named("mesh-tokens", name), /which nobody judges then/);
    });

    it("judges roles outside the mesh's namespaces as well, which its members may be given", () => {
      const outside = edit(may("get", "", "secrets").properties, "metadata.namespace", "kube-system");
      assertFinds(rbacLeastPrivilege, { ...role(), properties: outside }, /reads or replaces any key/);
    });

    it("has no leave for who gives himself rights", () => {
      const powers = { "escalate rbac.authorization.k8s.io/roles": "no" };
      assertFinds(rbacLeastPrivilege, may("escalate", "rbac.authorization.k8s.io", "roles"), /no leave/, {
        ...LUCID_CEILING,
        powers,
      });
    });
  });

  describe("on a binding", () => {
    const subject = (value: Json) => ({ path: "subjects[0]", value, finds: /no member of the mesh/ });
    refusesEach(rbacLeastPrivilege, roleBinding, [
      { title: "a user", ...subject({ kind: "User", name: "mesh-controller", namespace: "lucid-mesh" }) },
      { title: "a group", ...subject({ kind: "Group", name: "system:serviceaccounts" }) },
      { title: "a stranger", ...subject({ kind: "ServiceAccount", name: "stranger", namespace: "lucid-mesh" }) },
      {
        title: "a member's name elsewhere",
        ...subject({ kind: "ServiceAccount", name: "mesh-controller", namespace: "x" }),
      },
      {
        title: "another zone's account",
        ...subject({ kind: "ServiceAccount", name: "mesh-controller", namespace: "lucid-ops" }),
      },
      { title: "an account without namespace", ...subject({ kind: "ServiceAccount", name: "mesh-controller" }) },
      {
        title: "a member that asks nothing of the API",
        path: "subjects[0]",
        value: { kind: "ServiceAccount", name: "admin-ui", namespace: "lucid-ops" },
        finds: /ops\/admin-ui, which has nothing to ask of the Kubernetes API/,
      },
      { title: "an unknown subject", path: "subjects[0].name", value: UNKNOWN, finds: /can't be known/ },
      { title: "another kind of role", path: "roleRef.kind", value: "Group", finds: /Kubernetes' own/ },
      { title: "a role of no known group", path: "roleRef.apiGroup", value: "", finds: /no known kind/ },
      { title: "no role", path: "roleRef.name", finds: /names no role/ },
      ...["cluster-admin", "admin", "edit", "view", "system:node"].map((name) => ({
        title: name,
        path: "roleRef",
        value: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
        finds: /a role of Kubernetes' own/,
      })),
    ]);
    it("judges ClusterRoleBindings alike", () => {
      const type = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding";
      assertPasses(rbacLeastPrivilege, { ...roleBinding(), type });
      const properties = edit(roleBinding().properties, "subjects[0].kind", "User");
      assertFinds(rbacLeastPrivilege, { type, properties }, /no member of the mesh/);
    });
  });
});

describe("stack-invariants, of roles that are bound", () => {
  const planned = ({ type, properties }: TestResource): StackResource => ({
    type,
    name: "test",
    urn: "urn:pulumi:dev::test::x::test",
    properties: new Field(properties),
    origins: () => [],
  });
  const found = (...resources: readonly TestResource[]) =>
    unjudgedBindings(resources.map(planned)).map(({ path }) => path);
  const changed = (resource: TestResource, path: string, value: Json): TestResource => ({
    ...resource,
    properties: edit(resource.properties, path, value),
  });

  it("passes a binding whose role stands in the plan, of the same kind, name and namespace", () => {
    assert.deepEqual(found(role(), roleBinding()), []);
    assert.deepEqual(found(roleBinding()), ["roleRef"]);
    assert.deepEqual(found(changed(role(), "metadata.name", "other"), roleBinding()), ["roleRef"]);
    assert.deepEqual(found(changed(role(), "metadata.namespace", "lucid-ops"), roleBinding()), ["roleRef"]);
    assert.deepEqual(found({ ...role(), type: CLUSTER_ROLE }, roleBinding()), ["roleRef"]);
    const bound = changed(roleBinding(), "roleRef.kind", "ClusterRole");
    assert.deepEqual(found({ ...role(), type: CLUSTER_ROLE }, bound), []);
  });
});
