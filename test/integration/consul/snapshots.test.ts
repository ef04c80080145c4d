/** Snapshots of three real Consul servers with the mesh's own configuration, and their restore into an emptied cluster. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { snapshotRules } from "../../../components/discovery/consul/acl-rules";
import { eventually } from "../support/eventually";
import { MANAGEMENT_TOKEN, Servers } from "./servers";
import type { Server } from "./servers";

const SERVICE = "lucid-blocks";

function soon(what: string, check: () => void): Promise<void> {
  return eventually(what, () => {
    check();
    return Promise.resolve();
  });
}

describe("snapshots of Consul", function () {
  this.timeout(300_000);
  let servers: Servers;
  let token: string;

  before(async () => {
    servers = await Servers.start();
    token = await servers.token("lucid-snapshots", snapshotRules());
  });
  after(() => servers.stop());

  const bring = (text: string) => {
    writeFileSync(path.join(servers.folder, "token"), text);
  };
  const listed = ({ snapshots }: Server) => readdirSync(snapshots).sort();
  const register = async (name: string) => {
    const body = {
      Node: `lucid-chain-${name}`,
      Address: "10.0.0.7",
      Service: { Service: SERVICE, ID: name, Port: 15001 },
    };
    const leader = await servers.leader();
    assert.equal(
      (await leader.request("PUT", "/v1/catalog/register", MANAGEMENT_TOKEN, JSON.stringify(body))).status,
      200,
    );
  };
  const registered = async () => {
    const leader = await servers.leader();
    const answer = await leader.request("GET", `/v1/catalog/service/${SERVICE}`, MANAGEMENT_TOKEN);
    return ((await answer.json()) as { ServiceID: string }[]).map(({ ServiceID }) => ServiceID).sort();
  };

  describe("need a right to write ACLs", () => {
    it("and no narrower one: every other right together, and ACLs to be read, is refused", async () => {
      const prefixes = ["agent", "node", "service", "key", "session", "event", "query"];
      const all = [
        ...prefixes.map((kind) => `${kind}_prefix "" { policy = "write" }`),
        ...["operator", "keyring", "mesh", "peering"].map((kind) => `${kind} = "write"`),
      ];
      const leader = await servers.leader();
      for (const [name, rules] of [
        ["all-but-acls", all],
        ["all-and-reads-acls", [...all, 'acl = "read"']],
      ] as const) {
        const other = await servers.token(name, rules.join("\n"));
        assert.equal((await leader.request("GET", "/v1/snapshot", other)).status, 403, name);
      }
      assert.equal((await leader.request("GET", "/v1/snapshot", token)).status, 200);
    });

    it("by which everything else can be had, so that the token is worth the management token", async () => {
      const leader = await servers.leader();
      const body = JSON.stringify({ Policies: [{ Name: "global-management" }] });
      assert.equal((await leader.request("PUT", "/v1/acl/token", token, body)).status, 200);
    });
  });

  describe("by schedule", () => {
    before(() => {
      for (const server of servers.all) server.take({ SNAPSHOTS_KEPT: "3" });
    });

    it("are not taken without a token, or with one that Consul does not know, and nothing is left of the tries", async () => {
      const leader = await servers.leader();
      const failures = async () =>
        Number(/^lucid_snapshots_failures_total\{step="take"\} (\d+)$/m.exec(await leader.metrics())?.[1]);
      await eventually("a try without a token", async () => assert.ok((await failures()) > 0));
      bring("00000000-9999-4000-8000-5a1b2c3d4e5f\n");
      const before = await failures();
      await eventually("a try with a wrong one", async () => assert.ok((await failures()) > before + 1));
      assert.match(leader.said, /take failed.*403/);
      for (const server of servers.all) assert.deepEqual(listed(server), []);
    });

    it("are taken by the leader's alone, at once and each interval, and the oldest go", async () => {
      bring(`${token}\n`);
      const leader = await servers.leader();
      await soon("snapshots", () => assert.equal(listed(leader).length, 3));
      const [first] = listed(leader);
      await soon("the oldest to go", () => assert.ok(!listed(leader).includes(first ?? "")));
      assert.equal(listed(leader).length, 3);
      for (const server of servers.all.filter((other) => other !== leader)) {
        assert.deepEqual(listed(server), []);
        assert.match(await server.metrics(), /^lucid_snapshots_newest_age_seconds \+Inf$/m);
      }
      assert.match(await leader.metrics(), /^lucid_snapshots_newest_age_seconds [0-4](\.\d+)?$/m);
    });

    it("go on with the next leader", async () => {
      const dead = await servers.leader();
      const others = servers.all.filter((server) => server !== dead);
      await dead.stopServer();
      const next = await servers.leader(others);
      await soon("a snapshot of the next leader", () => assert.ok(listed(next).length > 0));
      dead.up(servers.all);
      await servers.leader();
    });

    it("tell the token to nobody, and end by a signal at once", async () => {
      for (const server of servers.all) {
        assert.equal(await server.stopTaker(), 0);
        for (const secret of [token, MANAGEMENT_TOKEN]) assert.ok(!server.said.includes(secret));
      }
    });
  });

  describe("are restored", () => {
    let kept: string;
    let server: Server;

    before(async () => {
      await register("one");
      server = await servers.leader();
      const { code, stdout, stderr } = await server.command(["take"]);
      assert.equal(code, 0, stderr);
      kept = (JSON.parse(stdout) as { name: string }).name;
      assert.ok(listed(server).includes(kept));
    });

    it("never without the right to, and nothing has changed then", async () => {
      await register("two");
      const reader = await servers.token("reads", 'service_prefix "" { policy = "read" }');
      for (const [line, finds] of [
        [reader, /403/],
        ["00000000-9999-4000-8000-5a1b2c3d4e5f", /403/],
        ["", /reads a Consul token/],
      ] as const) {
        const { code, stderr } = await server.command(["restore", kept], line);
        assert.notEqual(code, 0);
        assert.match(stderr, finds);
        assert.ok(line === "" || !stderr.includes(line));
      }
      assert.deepEqual(await registered(), ["one", "two"]);
    });

    it("never from a file that is damaged: it is not sent at all", async () => {
      const whole = readFileSync(path.join(server.snapshots, kept));
      const damaged = "20200101T000000Z-7.snap";
      writeFileSync(path.join(server.snapshots, damaged), whole.subarray(0, whole.length - 40));
      const { code, stderr } = await server.command(["restore", damaged], MANAGEMENT_TOKEN);
      assert.notEqual(code, 0);
      assert.match(stderr, /can't be read|is not what/);
      assert.deepEqual(await registered(), ["one", "two"]);
      const { stdout } = await server.command(["list"]);
      const problems = (JSON.parse(stdout) as { name: string; problem?: string }[]).filter(({ problem }) => problem);
      assert.deepEqual(
        problems.map(({ name }) => name),
        [damaged],
      );
    });

    it("into a cluster that runs: what came later is gone", async () => {
      const { code, stdout, stderr } = await server.command(["restore", kept], MANAGEMENT_TOKEN);
      assert.equal(code, 0, stderr);
      assert.equal((JSON.parse(stdout) as { tokenKnown: boolean }).tokenKnown, true);
      assert.deepEqual(await registered(), ["one"]);
    });

    it("into an emptied cluster, which knows no token but the management token: names, ACLs and tokens are back on every server", async () => {
      await servers.empty();
      await servers.up();
      assert.deepEqual(await registered(), []);
      // What takes snapshots has no rights there, so that no snapshot of an empty Consul pushes out a good one.
      const before = listed(server);
      assert.match((await server.command(["take"])).stderr, /403/);
      assert.deepEqual(listed(server), before);

      const { code, stdout, stderr } = await server.command(["restore", kept], MANAGEMENT_TOKEN);
      assert.equal(code, 0, stderr);
      assert.equal((JSON.parse(stdout) as { tokenKnown: boolean }).tokenKnown, true);
      assert.deepEqual(await registered(), ["one"]);
      for (const one of servers.all)
        await eventually(`the state of server ${String(one.ordinal)}`, async () => {
          const answer = await one.request("GET", `/v1/catalog/service/${SERVICE}?stale`, MANAGEMENT_TOKEN);
          assert.equal(((await answer.json()) as unknown[]).length, 1);
        });
      assert.equal((await (await servers.leader()).command(["take"])).code, 0);
    });

    it("and outlive a restart of all servers", async () => {
      await Promise.all(servers.all.map((one) => one.stopServer()));
      await servers.up();
      assert.deepEqual(await registered(), ["one"]);
    });
  });
});
