/** What three real Consul servers with the mesh's own configuration give to whoever shows no token, and that it is seen of each of them. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { aclReaderRules } from "../../../components/discovery/consul/acl-rules";
import { consulServerName } from "../../../components/discovery/consul/config";
import { ACL_READER, aclNameOf } from "../../../mesh/consul";
import { ConsulAcl } from "../../../services/controller/src/consul/acl";
import { ConsulClient } from "../../../services/controller/src/consul/client";
import { eventually } from "../support/eventually";
import { MANAGEMENT_TOKEN, Servers } from "./servers";
import type { Server } from "./servers";

describe("what Consul's servers give without a token", function () {
  this.timeout(300_000);
  let servers: Servers;
  let client: ConsulClient<typeof ACL_READER>;
  let acl: ConsulAcl;
  /** At whose address the controller asks. */
  let asked: Server;
  let other: Server;

  before(async () => {
    servers = await Servers.start(true);
    mkdirSync(tokensDirectory());
    writeFileSync(
      path.join(tokensDirectory(), ACL_READER),
      await servers.token(aclNameOf(ACL_READER), aclReaderRules()),
    );
    const leader = await servers.leader();
    const [first, second] = servers.all.filter((server) => server !== leader);
    assert.ok(first !== undefined && second !== undefined);
    [asked, other] = [first, second];
    client = clientOf(asked.host);
    acl = new ConsulAcl(client, { lastSuccess: undefined });
  });
  after(async () => {
    client.close();
    await servers.stop();
  });

  const tokensDirectory = () => path.join(servers.folder, "tokens");
  const clientOf = (host: string) =>
    new ConsulClient<typeof ACL_READER>({
      address: new URL(`https://${host}:${String(asked.ports.https)}`),
      caFile: path.join(servers.folder, "ca.crt"),
      serverName: consulServerName(),
      tokensDirectory: tokensDirectory(),
    });
  const given = async (by = acl) => (await by.read()).find(({ name }) => name === "anonymous")?.gives;
  const stand = async (server: Server, Token: string) => {
    const answer = await server.request("PUT", "/v1/agent/token/default", MANAGEMENT_TOKEN, JSON.stringify({ Token }));
    assert.equal(answer.status, 200);
  };
  const isReady = (server: Server) =>
    eventually(`${server.host} to answer`, async () => {
      assert.equal((await server.request("GET", "/v1/acl/tokens?stale", MANAGEMENT_TOKEN)).status, 200);
    });

  it("is nothing", async () => {
    assert.equal(await given(), undefined);
  });

  it("is what the default token of one of them gives, though others are asked for all the rest", async () => {
    await stand(other, await servers.token("writer", 'acl = "write"'));
    const write = (server: Server, Name: string) =>
      server.request("PUT", "/v1/acl/policy", undefined, JSON.stringify({ Name, Rules: 'operator = "write"' }));
    assert.equal((await write(asked, "refused")).status, 403);
    assert.equal((await write(other, "written")).status, 200, "whoever comes writes ACLs there");
    const seen = /^what token [0-9a-f-]{36} gives to whoever shows no token, by how server (\S+) is configured$/;
    await eventually("that it is seen", async () => {
      assert.equal(seen.exec((await given()) ?? "")?.[1], other.host);
    });
  });

  it("stands while that one doesn't answer, and is over once it was started anew", async () => {
    await other.stopServer();
    assert.match((await given()) ?? "nothing", /what token/);
    other.up(servers.all);
    await isReady(other);
    assert.equal(await given(), undefined);
  });

  it("is what one of them has for a default policy, were it not the one that leads", async () => {
    await other.stopServer();
    other.up(servers.all, { default_policy: "allow" });
    await isReady(other);
    const seen = `names, the server's own configuration to whoever shows no token, by how server ${other.host} is configured`;
    await eventually("that it is seen", async () => {
      assert.equal(await given(), seen);
    });
    assert.equal((await servers.leader()) === other, false);
  });

  it("is said once of one of them, be it asked by two names", async () => {
    await other.stopServer();
    other.up(servers.all);
    await isReady(other);
    // At the Service's address answers this one, too.
    const [first = assert.fail()] = servers.all;
    const byName = clientOf("localhost");
    const named = new ConsulAcl(byName, { lastSuccess: undefined });
    await stand(first, await servers.token("another", 'operator = "write"'));
    await eventually("that it is seen", async () => {
      assert.match((await given(named)) ?? "", /by how server 127\.0\.0\.1 is configured$/);
    });
    byName.close();
  });
});
