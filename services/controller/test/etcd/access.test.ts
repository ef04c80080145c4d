/** Keeping the users and roles of a real etcd. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ETCD_ROOT, etcdKeyOf, etcdPrefixOf } from "../../../../mesh/etcd.js";
import type { Access } from "../../src/etcd/access/document.js";
import { AccessKeeper } from "../../src/etcd/access/keeper.js";
import { EtcdClient, EtcdError } from "../../src/etcd/client.js";
import { EtcdStore, NO_LEASE } from "../../src/etcd/store.js";
import { createLog } from "../../src/log.js";
import { ACCESS, strangersTo, TestEtcd } from "../support/etcd.js";

const refused = (error: unknown): boolean => error instanceof EtcdError && [400, 401, 403].includes(error.status);

describe("controller: etcd's users and roles", function () {
  this.timeout(60_000);
  let etcd: TestEtcd;
  let client: EtcdClient;
  let lines: string[];

  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.stop());
  beforeEach(() => {
    client = new EtcdClient(etcd.connection);
    lines = [];
  });
  afterEach(() => {
    client.close();
  });

  const keep = (access: Access = ACCESS): Promise<void> =>
    new AccessKeeper(
      client,
      access,
      createLog("info", (line) => lines.push(line)),
    ).converge();
  const store = (user: string): EtcdStore => new EtcdStore(client, user);
  const record = (service: string, value = "{}") => ({
    key: etcdKeyOf(service, undefined, "a"),
    value,
    lease: NO_LEASE,
  });

  it("come into being on an empty etcd, and what stood there before goes", async () => {
    const put = { key: Buffer.from(`${etcdPrefixOf("admin-ui")}x`).toString("base64"), value: "e30=" };
    await client.requestUnnamed("kv/put", put);
    await keep();
    assert.deepEqual(await store("root").below(ETCD_ROOT), []);
    await assert.rejects(client.requestUnnamed("kv/put", put), refused);
  });

  it("are left as they are where they are right", async () => {
    const keeper = new AccessKeeper(
      client,
      ACCESS,
      createLog("info", (line) => lines.push(line)),
    );
    await keeper.converge();
    lines = [];
    await keeper.converge();
    await keep();
    assert.deepEqual(lines, []);
  });

  it("let a zone's user write its own names, and nobody else's", async () => {
    await keep();
    await store("registrar-ops").put(record("admin-ui"));
    for (const [user, service] of [
      ["registrar-ops", "lucid-blocks"],
      ["registrar-chain", "admin-ui"],
      // Not even a name that begins alike, nor one of nobody.
      ["registrar-ops", "admin-ui-2"],
      ["registrar-ops", "admin"],
    ] as const) {
      await assert.rejects(store(user).put(record(service)), refused, `${user} writes ${service}`);
      await assert.rejects(store(user).delete(record(service).key), refused, `${user} deletes ${service}`);
      await assert.rejects(store(user).deleteBelow(etcdPrefixOf(service)), refused);
    }
    await assert.rejects(store("registrar-ops").deleteBelow(ETCD_ROOT), refused, "all at once");
    assert.deepEqual(
      (await store("registrar-chain").below(ETCD_ROOT)).map(({ key }) => key),
      [record("admin-ui").key],
    );
  });

  it("let nobody but root change rights", async () => {
    await keep();
    for (const [path, body] of [
      ["auth/disable", {}],
      ["auth/user/grant", { user: "registrar-ops", role: "root" }],
      ["auth/user/changepw", { name: "registrar-chain", password: "mine" }],
      ["auth/role/grant", { name: "registrar-ops", perm: { permType: "READWRITE", key: "AA==", range_end: "AA==" } }],
    ] as const) {
      await assert.rejects(client.request("registrar-ops", path, body), refused, path);
    }
  });

  it("follow the document, and who loses the right to a name loses the name", async () => {
    await keep();
    await store("registrar-ops").put(record("prometheus"));
    const registrar = ACCESS.roles["registrar-ops"] ?? [];
    const less: Access = {
      roles: { ...ACCESS.roles, "registrar-ops": registrar.filter(({ prefix }) => !prefix.includes("prometheus")) },
      users: Object.fromEntries(Object.entries(ACCESS.users).filter(([user]) => user !== "registrar-chain")),
    };
    await keep(less);
    await assert.rejects(store("registrar-ops").put(record("prometheus")), refused);
    assert.ok(!(await store("root").below(ETCD_ROOT)).some(({ key }) => key.startsWith(etcdPrefixOf("prometheus"))));
    client.close();
    client = new EtcdClient(etcd.connection);
    await assert.rejects(store("registrar-chain").below(ETCD_ROOT), refused, "a user that is gone");
    await keep();
    await store("registrar-chain").below(ETCD_ROOT);
  });

  it("are put right where somebody changed them", async () => {
    await keep();
    await client.request("root", "auth/user/changepw", { name: "registrar-ops", password: "another" });
    await client.request("root", "auth/user/add", { name: "intruder", password: "p" });
    await client.request("root", "auth/user/grant", { user: "registrar-ops", role: "root" });
    await client.request("root", "auth/role/grant", {
      name: "registrar-chain",
      perm: { permType: "WRITE", key: Buffer.from("/").toString("base64") },
    });
    await keep();
    await store("registrar-ops").put(record("admin-ui"));
    await assert.rejects(store("registrar-ops").put(record("lucid-blocks")), refused);
    const { users } = (await client.request("root", "auth/user/list", {})) as { users: string[] };
    assert.deepEqual([...users].sort(), ["root", ...Object.keys(ACCESS.users)].sort());
  });

  it("come back on an etcd that lost everything", async () => {
    await keep();
    await store("registrar-ops").below(ETCD_ROOT);
    await etcd.empty();
    await keep();
    // The user's token is of the etcd before; once that is found, it logs in anew.
    await assert.rejects(store("registrar-ops").put(record("admin-ui")), /kv\/put/);
    await store("registrar-ops").put(record("admin-ui"));
    await assert.rejects(store("registrar-ops").put(record("lucid-blocks")), refused);
  });

  it("ask for a password that is right, and never tell it", async () => {
    await keep();
    const file = join(etcd.connection.passwordsDirectory, "registrar-ops");
    for (const wrong of ["7f3a-wrong", "7f3a\nmore", ""]) {
      writeFileSync(file, wrong);
      const other = new EtcdClient(etcd.connection);
      await assert.rejects(other.request("registrar-ops", "kv/range", { key: "AA==" }), (error) => {
        assert.ok(error instanceof Error);
        assert.doesNotMatch(`${error.message} ${error.stack ?? ""}`, /7f3a/);
        return true;
      });
      other.close();
    }
    writeFileSync(file, "password-of-registrar-ops\n");
  });

  it("are asked for under a certificate of the mesh, and under none else", async () => {
    for (const connection of await strangersTo(etcd)) {
      const other = new EtcdClient(connection);
      await assert.rejects(
        other.logIn("registrar-ops"),
        (error) => error instanceof Error && !(error instanceof EtcdError),
      );
      other.close();
    }
  });
});
