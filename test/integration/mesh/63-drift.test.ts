/** Drift made by hand on the deployed mesh: told of, put right where it is to be, and nothing left for Pulumi. */
import assert from "node:assert/strict";
import { CustomObjectsApi, RbacAuthorizationV1Api } from "@kubernetes/client-node";
import { CONSUL } from "../../../mesh";
import { MESH_SERVICE, type MeshServiceStatus } from "../../../mesh/custom-resource";
import { kubectl } from "../cluster/support";
import { core, kubeConfig, mergePatch, networking, podsOf } from "../support/cluster";
import { consul, managementToken } from "../support/consul";
import { only } from "../support/discovery";
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

type Named = Pick<typeof subject, "name" | "namespace">;

async function drifted({ name, namespace }: Named): Promise<{ readonly status: string; readonly message: string }> {
  const { group, version, plural } = MESH_SERVICE;
  const object = (await custom.getNamespacedCustomObject({ group, version, plural, namespace, name })) as {
    status?: MeshServiceStatus;
  };
  const found = object.status?.conditions?.find(({ type }) => type === "Drifted");
  return { status: found?.status ?? "absent", message: found?.message ?? "" };
}

const becomes = (status: string, message = /./, of: Named = subject) =>
  eventually(
    `Drifted ${status}`,
    async () => {
      const found = await drifted(of);
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

  only("consul", "drift of Consul's ACLs", () => {
    const controller = service("mesh-controller");
    const everything = [{ Name: "global-management" }];
    const made = (text: string) =>
      JSON.parse(text) as { readonly ID: string; readonly AccessorID: string; readonly SecretID: string };

    const put = async (what: string, content: object) => {
      const { status, body } = await consul("PUT", `/v1/acl/${what}`, {
        token: await managementToken(),
        body: content,
      });
      assert.equal(status, 200, body);
      return made(body);
    };
    const remove = async (what: string, id: string) => {
      const { status, body } = await consul("DELETE", `/v1/acl/${what}/${id}`, { token: await managementToken() });
      assert.equal(status, 200, body);
    };
    const isTold = async (message: RegExp, undo: () => Promise<unknown>) => {
      try {
        await event("lucid-mesh", "EnforcementLost", message);
        await becomes("True", message, controller);
      } finally {
        await undo();
      }
      await becomes("False", undefined, controller);
    };

    it("of Consul's ACLs is told of where a policy's rules are wider", async () => {
      const token = await managementToken();
      const { body } = await consul("GET", "/v1/acl/policies", { token });
      const Name = "lucid-registrar-wallet";
      const policy = (JSON.parse(body) as readonly { ID: string; Name: string }[]).find((one) => one.Name === Name);
      const before = await consul("GET", `/v1/acl/policy/${policy?.ID ?? ""}`, { token });
      const { Rules, Description } = JSON.parse(before.body) as { Rules: string; Description: string };
      const set = (rules: string) => put(`policy/${policy?.ID ?? ""}`, { Name, Description, Rules: rules });
      await set(`${Rules}service_prefix "" {\n  policy = "write"\n}\n`);
      await isTold(/AclPolicy lucid-registrar-wallet was changed \(rules\)/, () => set(Rules));
    });

    it("of Consul's ACLs is told of where somebody has a token that nobody declares", async () => {
      const { AccessorID } = await put("token", { Description: "for a moment", Policies: everything });
      await isTold(new RegExp(`AclToken ${AccessorID} was added .*gives policy global-management`), () =>
        remove("token", AccessorID),
      );
    });

    it("of Consul's ACLs is told of where a role is there that nobody declares", async () => {
      const { ID } = await put("role", { Name: "wide", Policies: everything });
      await isTold(/AclRole wide was added .*gives policy global-management/, () => remove("role", ID));
    });

    it("of Consul's ACLs is told of where whoever shows no token may do something", async () => {
      const anonymous = "token/00000000-0000-0000-0000-000000000002";
      await put(anonymous, { Description: "Anonymous Token", Policies: [{ Name: "lucid-node-resolver" }] });
      await isTold(/AclToken anonymous was added .*to whoever shows no token/, () =>
        put(anonymous, { Description: "Anonymous Token", Policies: [] }),
      );
    });

    it("of Consul's ACLs is told of where one of its servers gives whoever shows no token what another may do", async () => {
      const servers = await podsOf({ name: CONSUL.service, namespace: "lucid-mesh" });
      const server = servers.at(-1) ?? assert.fail("there is no server");
      assert.equal(servers.length, 3);
      const { AccessorID, SecretID } = await put("token", { Policies: [{ Name: "lucid-snapshots" }] });
      const set = async (Token: string) => {
        const asked = { token: await managementToken(), body: { Token }, server };
        assert.equal((await consul("PUT", "/v1/agent/token/default", asked)).status, 200);
      };
      const may = async () => (await consul("GET", "/v1/acl/policies", { server })).status;
      assert.equal(await may(), 403);
      await set(SecretID);
      assert.equal(await may(), 200, "what is told of is so");
      await isTold(
        new RegExp(`token ${AccessorID} gives to whoever shows no token, by how server ${server.ip} is`),
        async () => {
          await set("");
          await remove("token", AccessorID);
        },
      );
      assert.equal(await may(), 403);
    });

    it("of Consul's ACLs is seen by a token that shows no secret and changes nothing", async () => {
      const secret = await core.readNamespacedSecret({ name: "mesh-controller-tokens", namespace: "lucid-mesh" });
      const token = Buffer.from(secret.data?.["acl-reader"] ?? "", "base64").toString();
      const listed = await consul("GET", "/v1/acl/tokens", { token });
      assert.equal(listed.status, 200, listed.body);
      for (const { SecretID } of JSON.parse(listed.body) as readonly { SecretID: string }[])
        assert.equal(SecretID, "<hidden>");
      const content = { Name: "mine", Rules: 'acl = "write"' };
      assert.equal((await consul("PUT", "/v1/acl/policy", { token, body: content })).status, 403);
      assert.equal((await consul("PUT", "/v1/acl/token", { token, body: {} })).status, 403);
      assert.equal((await consul("GET", "/v1/snapshot", { token })).status, 403);
    });
  });

  it("leaves nothing for Pulumi, also where it looks at what there is", async () => {
    const changes = ["--non-interactive", "--expect-no-changes", "--policy-pack", "policies"];
    for (const looking of [[], ["--refresh"]]) {
      const { status, output } = await pulumi("preview", ...looking, ...changes);
      assert.equal(status, 0, output);
    }
  });
});
