/** What the proof takes etcd to let users do, and what a real etcd lets them: the same for random roles, key by key. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  includes,
  permissionFor,
  rangeOf,
  rangeOfPrefix,
  representativeKeys,
} from "../../../policies/etcd/permissions";
import type { EtcdRight, EtcdUser, KeyPermission } from "../../../policies/etcd/permissions";
import { EtcdClient, EtcdError } from "../../../services/controller/src/etcd/client";
import { TestEtcd } from "../../../services/controller/test/support/etcd";

const USERS = 40;
const RIGHTS: Readonly<Record<string, readonly EtcdRight[]>> = {
  READ: ["read"],
  WRITE: ["write"],
  READWRITE: ["read", "write"],
};

interface Granted {
  readonly key: string;
  readonly end: string;
  readonly type: string;
}

const KEYS = ["\0", "a", "a/", "a/b", "a/b/", "a/c", "a0", "b", "\xff"];
const granted: fc.Arbitrary<Granted> = fc
  .record({
    key: fc.constantFrom(...KEYS),
    end: fc.constantFrom("", "\0", ...KEYS, "prefix"),
    type: fc.constantFrom(...Object.keys(RIGHTS)),
  })
  .map(({ key, end, type }) => ({ key, end: end === "prefix" ? endOfPrefix(key) : end, type }));
const users = fc.array(fc.array(fc.array(granted, { minLength: 1, maxLength: 3 }), { maxLength: 2 }), {
  minLength: USERS,
  maxLength: USERS,
});

/** The end of all keys with a prefix, as etcd's clients give it. */
function endOfPrefix(prefix: string): string {
  return rangeOfPrefix(prefix).end ?? "\0";
}

describe("etcd's roles", function () {
  this.timeout(180_000);
  let etcd: TestEtcd;
  let client: EtcdClient;

  before(async () => {
    etcd = await TestEtcd.start();
    client = new EtcdClient(etcd.connection);
  });
  after(async () => {
    client.close();
    await etcd.stop();
  });

  it(`let ${USERS} users with random rights do what the proof computes, key by key`, async () => {
    const [sample = []] = fc.sample(users, { numRuns: 1, seed: 20_261_121 });
    const computed = await Promise.all(sample.map((roles, index) => create(`user-${String(index)}`, roles)));
    await client.requestUnnamed("auth/user/add", { name: "root", password: "password-of-root" });
    await client.requestUnnamed("auth/role/add", { name: "root" });
    await client.requestUnnamed("auth/user/grant", { user: "root", role: "root" });
    await client.requestUnnamed("auth/enable", {});
    const asked = [
      ...new Set([
        ...representativeKeys(computed.flatMap(({ permissions }) => permissions.map(({ range }) => range))),
        ...KEYS,
        "a/bb",
        "zz",
      ]),
    ];
    let allowed = 0;
    for (const user of [...computed, { name: "root", isRoot: true, permissions: [] }]) {
      for (const key of asked) {
        for (const right of ["read", "write"] as const) {
          const expected = permissionFor(user, right, key) !== undefined;
          allowed += expected ? 1 : 0;
          assert.equal(await may(user.name, right, key), expected, `${user.name} ${right} ${JSON.stringify(key)}`);
        }
      }
    }
    assert.ok(allowed > 0 && allowed < computed.length * asked.length * 2);
  });

  it("refuse ranges that the proof takes for none", async () => {
    for (const [key, end] of [
      ["", ""],
      ["b", "a"],
      ["a", "a"],
    ] as const) {
      assert.equal(rangeOf(key, end), undefined);
      await assert.rejects(
        client.request("root", "auth/role/grant", { name: "root", perm: wire({ key, end, type: "READ" }) }),
        EtcdError,
      );
    }
  });

  it("tell a prefix from its neighbours", () => {
    const range = rangeOfPrefix("/skydns/a/");
    assert.ok(includes(range, "/skydns/a/") && includes(range, "/skydns/a/\xff"));
    assert.ok(!includes(range, "/skydns/a") && !includes(range, "/skydns/a0") && !includes(range, "/skydns/a-2/"));
    assert.deepEqual(rangeOfPrefix("\xff"), { start: "\xff", end: undefined });
  });

  /** Makes a user with a role for each list of rights. @returns it, as the proof has it */
  async function create(name: string, roles: readonly (readonly Granted[])[]): Promise<EtcdUser> {
    mkdirSync(etcd.connection.passwordsDirectory, { recursive: true });
    writeFileSync(join(etcd.connection.passwordsDirectory, name), `password-of-${name}\n`);
    await client.requestUnnamed("auth/user/add", { name, password: `password-of-${name}` });
    const permissions: KeyPermission[] = [];
    for (const [index, list] of roles.entries()) {
      const role = `${name}-${String(index)}`;
      await client.requestUnnamed("auth/role/add", { name: role });
      // The last word about one range counts.
      const said = new Map<string, KeyPermission>();
      for (const one of list) {
        const range = rangeOf(one.key, one.end);
        if (range === undefined) continue;
        await client.requestUnnamed("auth/role/grant", { name: role, perm: wire(one) });
        said.set(JSON.stringify([one.key, one.end]), { range, rights: RIGHTS[one.type] ?? [], ground: role });
      }
      permissions.push(...said.values());
      await client.requestUnnamed("auth/user/grant", { user: name, role });
    }
    return { name, isRoot: false, permissions };
  }

  async function may(user: string, right: EtcdRight, key: string): Promise<boolean> {
    const body = { key: encoded(key), ...(right === "write" ? { value: "" } : {}) };
    try {
      await client.request(user, right === "write" ? "kv/put" : "kv/range", body);
      return true;
    } catch (error) {
      if (error instanceof EtcdError && /permission denied/.test(error.message)) return false;
      throw error;
    }
  }
});

function wire({ key, end, type }: Granted) {
  return { permType: type, key: encoded(key), range_end: encoded(end) };
}

function encoded(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}
