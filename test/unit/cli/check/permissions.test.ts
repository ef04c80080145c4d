import assert from "node:assert/strict";
import { permissionChecks } from "../../../../cli/check/categories/permissions";
import { Declared } from "../../../../cli/check/plan/declared";
import type { ZoneName } from "../../../../mesh";
import { lucid, settings } from "../../proof/lucid";
import { add, describeFaults, field, find, remove, resultOf } from "./faults";
import { recordedContext } from "./recorded-cluster";

const RBAC = "rbac.authorization.k8s.io/v1";

describeFaults("permissions", [
  {
    id: "rights-to-deploy",
    title: "a kind that this user may not make",
    make: (cluster) => {
      cluster.grant(({ resource, verb }) => resource !== "networkpolicies" || !["*", "create"].includes(verb));
    },
    says: /^create networkpolicies\.networking\.k8s\.io in lucid-chain$/m,
  },
  {
    id: "rights-to-deploy",
    title: "a user who may read alone",
    make: (cluster) => {
      cluster.grant(({ verb }) => ["get", "list", "watch"].includes(verb));
    },
    says: /^create namespaces$/m,
  },
  {
    id: "rights-to-grant",
    title: "a user who may not grant what he lacks",
    make: (cluster) => {
      cluster.grant(({ verb, subresource }) => !["escalate", "bind"].includes(verb) && subresource !== "status");
    },
    says: /^patch pods\/status in lucid-ops$/m,
  },
  {
    id: "rights-to-forward",
    title: "a user who may not forward ports",
    make: (cluster) => {
      cluster.grant(({ subresource }) => subresource !== "portforward");
    },
    says: /^create pods\/portforward in lucid-mesh$/m,
  },
  {
    id: "rights-to-check",
    title: "a user who may not read Secrets",
    make: (cluster) => {
      cluster.grant(({ resource }) => resource !== "secrets");
    },
    status: "warning",
    says: /^list secrets in lucid-wallet$/m,
  },
  {
    id: "roles",
    title: "a Role that was widened",
    make: (cluster) => {
      field<string[]>(find(cluster, "Role", "lucid-ops/lucid-pod-reader"), "rules", 0, "verbs").push("delete");
    },
    says: /Role lucid-ops\/lucid-pod-reader: rules\[0\]\.verbs has 4 items, not 3/,
  },
  {
    id: "roles",
    title: "a RoleBinding that is missing",
    make: (cluster) => {
      remove(cluster, "RoleBinding", "kube-node-lease/lucid-node-lease-reader");
    },
    says: /RoleBinding kube-node-lease\/lucid-node-lease-reader is missing/,
  },
  {
    id: "roles-unknown",
    title: "a RoleBinding that nobody declared",
    make: (cluster) => {
      add(cluster, RBAC, "RoleBinding", "lucid-wallet/helper", { roleRef: { kind: "ClusterRole", name: "admin" } });
    },
    says: /RoleBinding lucid-wallet\/helper/,
  },
  ...[
    { kind: "ServiceAccount", name: "payout-router", namespace: "lucid-wallet" },
    { kind: "Group", name: "system:serviceaccounts:lucid-wallet" },
    { kind: "Group", name: "system:authenticated" },
  ].map((subject) => ({
    id: "cluster-rights",
    title: `a ClusterRoleBinding to ${subject.kind} ${subject.name}`,
    make: (cluster: Parameters<typeof find>[0]) => {
      const roleRef = { kind: "ClusterRole", name: "cluster-admin" };
      add(cluster, RBAC, "ClusterRoleBinding", "helper", { roleRef, subjects: [subject] });
    },
    says: new RegExp(`helper gives cluster-admin to .*${subject.name}`),
  })),
]);

/** Who deploys one part needs no right in the namespaces of the others. */
describe("mesh check: permissions of who deploys a part", function () {
  this.timeout(120_000);

  const asked = async (part: ZoneName, id: string) => {
    const { context, cluster } = await recordedContext("consul");
    cluster.grant(({ namespace, resource }) => namespace === "lucid-wallet" || resource === "namespaces");
    const check = permissionChecks.find((one) => one.id === id);
    assert.ok(check);
    return resultOf(check, { ...context, declaration: new Declared(lucid, { ...settings, part }) });
  };

  for (const id of ["rights-to-deploy", "rights-to-grant"]) {
    it(`${id}: those in its own namespace are enough`, async () => {
      assert.equal((await asked("wallet", id)).status, "ok");
    });

    it(`${id}: those in another's are not`, async () => {
      const result = await asked("chain", id);
      assert.equal(result.status, "failure");
      assert.match(JSON.stringify(result), /lucid-chain/);
      assert.doesNotMatch(JSON.stringify(result), /lucid-(ops|mesh|wallet)/);
    });
  }

  it("rights-to-deploy: who deploys part mesh needs those of the whole cluster", async () => {
    assert.match(JSON.stringify(await asked("mesh", "rights-to-deploy")), /validatingadmissionpolicies/);
  });
});
