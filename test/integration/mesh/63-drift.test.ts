/** Drift made by hand on the deployed mesh: told of, put right where it is to be, and nothing left for Pulumi. */
import assert from "node:assert/strict";
import { CustomObjectsApi, RbacAuthorizationV1Api } from "@kubernetes/client-node";
import { MESH_SERVICE, type MeshServiceStatus } from "../../../mesh/custom-resource";
import { kubectl } from "../cluster/support";
import { core, kubeConfig, mergePatch, networking } from "../support/cluster";
import { service } from "../support/document";
import { eventually } from "../support/eventually";
import { pulumi } from "../support/pulumi";

const custom = kubeConfig.makeApiClient(CustomObjectsApi);
const rbac = kubeConfig.makeApiClient(RbacAuthorizationV1Api);
const subject = service("tron-payment");
const { name, namespace } = subject;
/** Seconds in which a drift is told of. */
const TOLD = 10;
const fieldManager = "somebodys-hand";

async function drifted(): Promise<{ readonly status: string; readonly message: string }> {
  const { group, version, plural } = MESH_SERVICE;
  const object = (await custom.getNamespacedCustomObject({ group, version, plural, namespace, name })) as {
    status?: MeshServiceStatus;
  };
  const found = object.status?.conditions?.find(({ type }) => type === "Drifted");
  return { status: found?.status ?? "absent", message: found?.message ?? "" };
}

const becomes = (status: string, message = /./) =>
  eventually(
    `Drifted ${status}`,
    async () => {
      const found = await drifted();
      assert.equal(found.status, status, found.message);
      assert.match(found.message, message);
    },
    TOLD,
  );

const event = (inNamespace: string, reason: string, message: RegExp) =>
  eventually(
    `${reason} of ${String(message)}`,
    async () => {
      const { items } = await core.listNamespacedEvent({ namespace: inNamespace, fieldSelector: `reason=${reason}` });
      const texts = items.map((item) => item.message ?? "");
      assert.ok(
        texts.some((text) => message.test(text)),
        texts.join("\n"),
      );
    },
    TOLD,
  );

describe("drift on the deployed mesh", function () {
  this.timeout(600_000);

  it("is none of what was deployed", async () => {
    const rows = (await kubectl(["get", "meshservices", "-A", "--no-headers"])).trim().split("\n");
    for (const row of rows) assert.match(row, /\s+False\s+\S+$/, row);
  });

  it("of a NetworkPolicy is put right, removed or changed", async () => {
    const { spec } = await networking.readNamespacedNetworkPolicy({ name, namespace });
    const asBefore = () =>
      eventually(
        "the policy as it was declared",
        async () => {
          assert.deepEqual((await networking.readNamespacedNetworkPolicy({ name, namespace })).spec, spec);
        },
        TOLD,
      );
    const body = { spec: { policyTypes: ["Ingress"] } };
    await networking.patchNamespacedNetworkPolicy({ name, namespace, body, fieldManager }, mergePatch);
    await event(
      namespace,
      "Drifted",
      /NetworkPolicy .*tron-payment was changed \(spec\.policyTypes\), last written by somebodys-hand/,
    );
    await asBefore();
    await networking.deleteNamespacedNetworkPolicy({ name, namespace });
    await event(namespace, "DriftRepaired", /NetworkPolicy .*tron-payment was removed/);
    await asBefore();
    await becomes("False");
  });

  it("of an Envoy ConfigMap is told of, and left to people", async () => {
    const files = { name: `${name}-envoy`, namespace, fieldManager };
    await core.patchNamespacedConfigMap({ ...files, body: { data: { "more.yaml": "resources: []" } } }, mergePatch);
    await becomes(
      "True",
      /tron-payment-envoy was changed \(data\["more\.yaml"\] added\), last written by somebodys-hand/,
    );
    assert.match(await kubectl(["get", "meshservice", name, "-n", namespace, "--no-headers"]), /\s+True\s+\S+$/m);
    await core.patchNamespacedConfigMap({ ...files, body: { data: { "more.yaml": null } } }, mergePatch);
    await becomes("False");
  });

  it("of a right in the whole cluster is told of", async () => {
    const body = {
      metadata: { name: "a-favour" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    };
    await rbac.createClusterRoleBinding({ body, fieldManager });
    try {
      await event("lucid-mesh", "Drifted", /ClusterRoleBinding a-favour was added .*tron-payment/);
    } finally {
      await rbac.deleteClusterRoleBinding({ name: "a-favour" });
    }
  });

  it("leaves nothing for Pulumi, also where it looks at what there is", async () => {
    const changes = ["--non-interactive", "--expect-no-changes", "--policy-pack", "policies"];
    for (const looking of [[], ["--refresh"]]) {
      const { status, output } = await pulumi("preview", ...looking, ...changes);
      assert.equal(status, 0, output);
    }
  });
});
