/** Reading and writing the catalogue of a real Consul. */
import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Catalogue } from "../../src/consul/catalogue.js";
import { ConsulClient, ConsulError } from "../../src/consul/client.js";
import { entryOf, nodeName } from "../../src/consul/entry.js";
import { planNode } from "../../src/consul/plan.js";
import type { Registration } from "../../src/registry/registration.js";
import { TestConsul } from "../support/consul.js";
import { registration } from "../support/registration.js";

describe("controller: Consul's catalogue", function () {
  this.timeout(60_000);
  let consul: TestConsul;
  let client: ConsulClient;
  let catalogue: Catalogue;

  before(async () => {
    consul = await TestConsul.start();
  });
  after(() => consul.stop());

  beforeEach(() => {
    client = new ConsulClient(consul.config);
    catalogue = new Catalogue(client);
  });
  afterEach(async () => {
    client.close();
    for (const node of await consul.nodes()) {
      if (node !== "server-under-test") {
        await consul.request("PUT", "/v1/catalog/deregister", { Node: node });
      }
    }
  });

  const register = (what: Registration): Promise<void> =>
    catalogue.apply(what.zone, { kind: "register", node: nodeName(what.zone, what.pod), registration: what });

  it("is empty at first", async () => {
    assert.deepEqual(await catalogue.read("ops"), []);
  });

  it("holds what is registered, as it was meant", async () => {
    const all = [
      registration("a"),
      registration("b", { ready: false, address: "10.244.0.8" }),
      registration("c", { service: "prometheus", version: "" }),
    ];
    for (const one of all) {
      await register(one);
    }
    const read = await catalogue.read("ops");
    assert.deepEqual(
      read.sort((one, other) => (one.node < other.node ? -1 : 1)),
      all.map(entryOf),
    );
    const entries = new Map(read.map((entry) => [entry.node, entry]));
    for (const one of all) {
      const node = nodeName("ops", one.pod);
      assert.deepEqual(planNode(node, one, entries.get(node)), []);
    }
  });

  it("resolves only passing instances", async () => {
    await register(registration("a"));
    await register(registration("b", { ready: false }));
    const passing = (await consul.request("GET", "/v1/health/service/admin-ui?passing")) as unknown[];
    assert.equal(passing.length, 1);
    await register(registration("b"));
    assert.equal(((await consul.request("GET", "/v1/health/service/admin-ui?passing")) as unknown[]).length, 2);
  });

  it("tells the instances of one version apart by their tag", async () => {
    await register(registration("a", { version: "stable" }));
    await register(registration("b", { version: "canary" }));
    const tagged = await consul.request("GET", "/v1/health/service/admin-ui?passing&tag=v-canary");
    assert.deepEqual(
      (tagged as { Service: { ID: string } }[]).map(({ Service }) => Service.ID),
      ["b"],
    );
  });

  it("a registration that says nothing new does not even wake its watchers", async () => {
    await register(registration("a"));
    const index = async (): Promise<number> => {
      const [instance] = (await consul.request("GET", "/v1/catalog/service/admin-ui")) as { ModifyIndex: number }[];
      return instance?.ModifyIndex ?? -1;
    };
    const before = await index();
    await register(registration("a"));
    assert.equal(await index(), before);
    await register(registration("a", { version: "2" }));
    assert.notEqual(await index(), before);
  });

  it("loses a node with all that is on it, and may be told so twice", async () => {
    await register(registration("a"));
    for (let time = 0; time < 2; time += 1) {
      await catalogue.apply("ops", { kind: "deregister", node: "lucid-ops-a" });
      assert.deepEqual(await catalogue.read("ops"), []);
      assert.deepEqual(await consul.instances("admin-ui"), []);
    }
  });

  it("sees and removes what others put on our nodes", async () => {
    await register(registration("a"));
    const Node = "lucid-ops-a";
    await consul.request("PUT", "/v1/catalog/register", {
      Node,
      SkipNodeUpdate: true,
      Service: { ID: "x", Service: "prometheus", Address: "6.6.6.6", Port: 1 },
    });
    await consul.request("PUT", "/v1/catalog/register", {
      Node,
      SkipNodeUpdate: true,
      Check: { Node, CheckID: "maintenance", Name: "maintenance", Status: "critical" },
    });
    const entries = async () => new Map((await catalogue.read("ops")).map((entry) => [entry.node, entry]));
    const actions = planNode(Node, registration("a"), (await entries()).get(Node));
    assert.deepEqual(actions.map(({ kind }) => kind).sort(), ["remove-check", "remove-service"]);
    for (const action of actions) {
      await catalogue.apply("ops", action);
    }
    assert.deepEqual([...(await entries()).values()], [entryOf(registration("a"))]);
  });

  it("shows nothing of others: other zones, other makers, agents", async () => {
    await register(registration("a"));
    await register(registration("b", { zone: "chain", service: "lucid-blocks" }));
    await consul.request("PUT", "/v1/catalog/register", {
      Node: "lucid-ops-manual",
      Address: "10.0.0.1",
      Service: { ID: "m", Service: "admin-ui", Address: "10.0.0.1", Port: 1 },
    });
    assert.deepEqual(
      (await catalogue.read("ops")).map(({ node }) => node),
      ["lucid-ops-a"],
    );
    assert.deepEqual(
      (await catalogue.read("chain")).map(({ node }) => node),
      ["lucid-chain-b"],
    );
  });

  it("refuses a zone's token another zone's names", async () => {
    const forbidden = (error: unknown): boolean => error instanceof ConsulError && error.status === 403;
    await assert.rejects(register(registration("a", { service: "lucid-blocks" })), forbidden);
    await assert.rejects(
      catalogue.apply("ops", {
        kind: "register",
        node: "lucid-chain-a",
        registration: registration("a", { zone: "chain" }),
      }),
      forbidden,
    );
    await register(registration("b", { zone: "chain", service: "lucid-blocks" }));
    await assert.rejects(catalogue.apply("ops", { kind: "deregister", node: "lucid-chain-b" }), forbidden);
    assert.equal((await consul.instances("lucid-blocks")).length, 1);
  });

  it("is not read by halves: any failing request fails the reading", async () => {
    await register(registration("a"));
    const failing = new ConsulClient(consul.config);
    const original = failing.request.bind(failing);
    failing.request = (zone, method, path, body) =>
      path.startsWith("/v1/health/") ? Promise.reject(new Error("time-out")) : original(zone, method, path, body);
    await assert.rejects(new Catalogue(failing).read("ops"), /time-out/);
    failing.close();
  });

  it("is not believed without Consul's CA or under another name", async () => {
    const others = [
      { ...consul.config, serverName: "server.dc2.consul" },
      { ...consul.config, caFile: join(consul.folder, "dc1-server-consul-0.pem") },
    ];
    for (const config of others) {
      const other = new ConsulClient(config);
      await assert.rejects(other.request("ops", "GET", "/v1/catalog/nodes"), (error) => {
        assert.ok(error instanceof Error && error.cause instanceof Error);
        assert.match(error.cause.message, /certificate|altnames/i);
        return true;
      });
      other.close();
    }
  });

  it("is read with a token that was changed meanwhile, and an error never shows one", async () => {
    const file = join(consul.folder, "tokens", "ops");
    await client.request("ops", "GET", "/v1/catalog/nodes");
    renameSync(file, `${file}.kept`);
    await assert.rejects(client.request("ops", "GET", "/v1/catalog/nodes"), /ENOENT/);
    const secret = "99999999-0000-4000-8000-5a1b2c3d4e5f";
    for (const content of [secret, `${secret}\nmore`, ""]) {
      writeFileSync(file, content);
      await assert.rejects(client.request("ops", "GET", "/v1/catalog/nodes"), (error) => {
        assert.ok(error instanceof Error);
        assert.doesNotMatch(`${error.message} ${error.stack ?? ""}`, /99999999-/);
        return true;
      });
    }
    renameSync(`${file}.kept`, file);
    await client.request("ops", "GET", "/v1/catalog/nodes");
  });

  it("is given up on in time when Consul does not answer", async () => {
    await client.request("ops", "GET", "/v1/catalog/nodes");
    consul.freeze();
    try {
      const start = performance.now();
      await assert.rejects(client.request("ops", "GET", "/v1/catalog/nodes"), (error) => {
        assert.ok(error instanceof Error && error.cause instanceof Error);
        assert.match(error.cause.message, /no answer in 5 s/);
        return true;
      });
      assert.ok(performance.now() - start < 7_000);
    } finally {
      consul.thaw();
    }
    await client.request("ops", "GET", "/v1/catalog/nodes");
  });
});
