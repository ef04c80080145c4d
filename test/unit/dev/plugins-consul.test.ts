import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";

import { consulProvider } from "../../../dev/plugins/consul/provider";
import { ConfigValues } from "../../../dev/plugins/protocol/config";
import type { ProviderImplementation } from "../../../dev/plugins/protocol/provider";
import { type Properties, Secret, UNKNOWN } from "../../../dev/plugins/protocol/values";
import { kinds, TestedResource, textOf } from "./plugins-resource";

type Stored = Record<string, unknown>;

/** As much of Consul's ACL API as the stand-in calls; the real one is called in the integration tests. */
class FakeConsul {
  readonly objects = new Map<string, Stored>();
  readonly requests: { readonly method: string; readonly url: string; readonly token: string }[] = [];
  readonly server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const url = request.url ?? "";
      const method = request.method ?? "";
      this.requests.push({ method, url, token: String(request.headers["x-consul-token"]) });
      const [status, body] = this.answer(method, url, Buffer.concat(chunks).toString());
      response.writeHead(status).end(body);
    });
  });

  private answer(method: string, url: string, body: string): [number, string] {
    const [, kind = "", given] = /^\/v1\/acl\/(policy|token)(?:\/([^?]+))?/.exec(url) ?? [];
    const member = kind === "policy" ? "ID" : "AccessorID";
    if (method === "PUT") {
      const object: Stored = { [member]: randomUUID(), ...(JSON.parse(body) as Stored) };
      const key = given ?? String(object[member]);
      if (given !== undefined && !this.objects.has(key)) return [500, "ACL not found"];
      this.objects.set(key, { ...object, SecretID: this.objects.get(key)?.SecretID ?? randomUUID() });
      return [200, JSON.stringify(this.objects.get(key))];
    }
    if (given === "forbidden") return [403, "Permission denied"];
    const object = this.objects.get(given ?? "");
    if (object === undefined) return kind === "policy" ? [404, ""] : [403, "ACL not found"];
    if (method === "DELETE") this.objects.delete(given ?? "");
    return [200, method === "DELETE" ? "true" : JSON.stringify(object)];
  }
}

describe("plugins: consul", () => {
  let consul: FakeConsul;
  let provider: ProviderImplementation;
  const resource = (type: string): TestedResource =>
    new TestedResource(provider, `consul:index/${type.charAt(0).toLowerCase()}${type.slice(1)}:${type}`);

  beforeEach(async () => {
    consul = new FakeConsul();
    await new Promise<void>((resolve) => consul.server.listen(0, "127.0.0.1", resolve));
    provider = consulProvider();
    const { port } = consul.server.address() as AddressInfo;
    await provider.configure(
      new ConfigValues({ address: `127.0.0.1:${port}`, scheme: "http", token: new Secret("management") }),
    );
  });
  afterEach(() => {
    consul.server.closeAllConnections();
    consul.server.close();
  });

  const POLICY: Properties = { name: "lucid", rules: 'node_prefix "" { policy = "read" }' };

  it("writes nothing at preview, and knows what it can", async () => {
    assert.deepEqual(await resource("AclToken").preview({ policies: [UNKNOWN], description: new Secret("x") }), {
      accessorId: UNKNOWN,
      policies: [UNKNOWN],
      description: new Secret("x"),
      roles: [],
      local: false,
      expirationTime: "",
      serviceIdentities: [],
      nodeIdentities: [],
      templatedPolicies: [],
      namespace: "",
      partition: "",
    });
    assert.deepEqual(consul.requests, []);
  });

  it("makes a policy by its token, finds no difference after, and puts drift right", async () => {
    const policy = resource("AclPolicy");
    const { id, outputs } = await policy.create(POLICY);
    assert.deepEqual(consul.requests.at(-1), { method: "PUT", url: "/v1/acl/policy", token: "management" });
    assert.deepEqual(kinds(await policy.diff(outputs, POLICY, POLICY)), {});

    consul.objects.set(id, { ...consul.objects.get(id), Rules: "", Description: "by hand" });
    const found = await policy.read(id, outputs, POLICY);
    assert.equal(found?.outputs.description, "by hand");
    assert.deepEqual(kinds(await policy.diff(found.outputs, found.inputs ?? {}, POLICY)), {
      description: "update",
      rules: "update",
    });
    await policy.update(id, found.outputs, POLICY, POLICY);
    assert.equal(consul.objects.get(id)?.Rules, POLICY.rules);
    assert.equal(consul.objects.get(id)?.Description, "");
  });

  it("names a policy that has no name after its resource, and keeps the name", async () => {
    const { inputs } = await resource("AclPolicy").check({ rules: "" });
    assert.match(textOf(inputs.name), /^name-[\da-f]{7}$/);
    assert.equal((await resource("AclPolicy").check({ rules: "" }, { name: "old" })).inputs.name, "old");
    assert.equal((await resource("AclPolicy").check({ rules: "", name: "own" })).inputs.name, "own");
  });

  it("compares a token's policies as a set, and keeps the accessor id that Consul chose", async () => {
    const token = resource("AclToken");
    const inputs: Properties = { policies: ["b", "a"], description: "d" };
    const { id, outputs } = await token.create(inputs);
    assert.equal(outputs.accessorId, id);
    assert.equal(outputs.secretId, undefined);
    assert.deepEqual(kinds(await token.diff(outputs, inputs, { ...inputs, policies: ["a", "b"] })), {});
    assert.deepEqual(kinds(await token.diff(outputs, inputs, { ...inputs, policies: ["a"] })), {
      "policies[1]": "delete",
    });
    assert.deepEqual(kinds(await token.diff(outputs, inputs, { ...inputs, local: true })), { local: "update-replace" });
    assert.deepEqual(kinds(await token.diff(outputs, inputs, { ...inputs, accessorId: randomUUID() })), {
      accessorId: "update-replace",
    });
  });

  it("says of a token or a policy that is gone that it is gone, and deletes it twice without complaint", async () => {
    for (const [type, inputs] of [
      ["AclToken", {}],
      ["AclPolicy", POLICY],
    ] as const) {
      const { id, outputs } = await resource(type).create(inputs);
      await resource(type).delete(id, outputs, inputs);
      await resource(type).delete(id, outputs, inputs);
      assert.equal(await resource(type).read(id, outputs, inputs), undefined);
      await assert.rejects(resource(type).update(id, outputs, inputs, inputs), /pulumi refresh/);
    }
  });

  it("attaches a policy to a token beside what is there, and takes it off alone", async () => {
    const { id: token } = await resource("AclToken").create({ policies: ["a"] });
    const attachment = resource("AclTokenPolicyAttachment");
    const inputs = { tokenId: token, policy: "b:c" };
    const { id, outputs } = await attachment.create(inputs);
    assert.deepEqual(consul.objects.get(token)?.Policies, [{ Name: "a" }, { Name: "b:c" }]);
    assert.deepEqual((await attachment.read(id, outputs, inputs))?.outputs, inputs);
    await assert.rejects(attachment.create(inputs), /already attached/);
    await attachment.delete(id, outputs, inputs);
    assert.deepEqual(consul.objects.get(token)?.Policies, [{ Name: "a" }]);
    assert.equal(await attachment.read(id, outputs, inputs), undefined);
  });

  it("gives a token's secret to the function alone, as a secret", async () => {
    const { id } = await resource("AclToken").create({});
    const context = { preview: false, signal: new AbortController().signal, log: () => undefined };
    const secretId = provider.functions?.["consul:index/getAclTokenSecretId:getAclTokenSecretId"];
    assert.ok(secretId);
    const answer = await secretId({ accessorId: id }, context);
    assert.deepEqual(answer.secretId, new Secret(String(consul.objects.get(id)?.SecretID)));
    assert.deepEqual(
      (await secretId({ accessorId: UNKNOWN }, { ...context, preview: true })).secretId,
      new Secret(UNKNOWN),
    );
    await assert.rejects(secretId({ accessorId: "none" }, context), /has no token none/);
    await assert.rejects(secretId({ accessorId: id, pgpKey: "k" }, context), /pgpKey/);
  });

  it("passes Consul's refusal on", async () => {
    await assert.rejects(resource("AclPolicy").read("forbidden", {}, {}), /403: Permission denied/);
  });

  it("says where nothing listens", async () => {
    const away = consulProvider();
    await away.configure(new ConfigValues({ address: "127.0.0.1:1" }));
    await assert.rejects(
      new TestedResource(away, "consul:index/aclPolicy:AclPolicy").create(POLICY),
      /Consul at 127\.0\.0\.1:1 can't be reached/,
    );
  });

  it("refuses inputs that the SDK hasn't, and those of Consul Enterprise", async () => {
    const failures = await resource("AclPolicy").failures({ name: "x", rule: "", namespace: "n" });
    assert.deepEqual(failures.map(({ property }) => property).sort(), ["namespace", "rule", "rules"]);
  });
});
