/** Who may do what at a real Consul, as it is read by a token that may read ACLs and nothing else. */
import assert from "node:assert/strict";
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ACL_READER } from "../../../../mesh/consul.js";
import { ConsulAcl } from "../../src/consul/acl.js";
import { ConsulClient, ConsulError } from "../../src/consul/client.js";
import type { TokenlessConsul } from "../../src/consul/tokenless.js";
import { AccessRefused, type AccessObject } from "../../src/registry/access.js";
import { TestConsul } from "../support/consul.js";

interface Made {
  readonly ID: string;
  readonly AccessorID: string;
  readonly SecretID: string;
}

const ANONYMOUS = "token/00000000-0000-0000-0000-000000000002";

describe("controller: Consul's ACLs", function () {
  this.timeout(60_000);
  const asked: string[] = [];
  let consul: TestConsul;
  let client: ConsulClient<typeof ACL_READER>;
  let acl: ConsulAcl;

  before(async () => {
    consul = await TestConsul.start();
    client = new ConsulClient<typeof ACL_READER>(consul.config);
    const counted = but({
      read: (...question) => {
        asked.push(question[1]);
        return client.read(...question);
      },
      readOpenly: (...question) => {
        asked.push(`${question[1]} without a token`);
        return client.readOpenly(...question);
      },
    });
    acl = new ConsulAcl(counted, { lastSuccess: undefined });
  });
  after(async () => {
    client.close();
    await consul.stop();
  });

  /** Consul, but for what is asked otherwise. */
  const but = (other: Partial<TokenlessConsul>): TokenlessConsul => ({
    host: client.host,
    read: (...question) => client.read(...question),
    readOpenly: (...question) => client.readOpenly(...question),
    ...other,
  });
  const make = async (what: string, body: object): Promise<Made> =>
    (await consul.request("PUT", `/v1/acl/${what}`, body)) as Made;
  const remove = (what: string, id: string) => consul.request("DELETE", `/v1/acl/${what}/${id}`);
  const of = async (kind: AccessObject["kind"], name: string): Promise<AccessObject | undefined> =>
    (await acl.read()).find((object) => object.kind === kind && object.name === name);
  const idOf = async (policy: string): Promise<string> => {
    const all = (await consul.request("GET", "/v1/acl/policies")) as readonly { ID: string; Name: string }[];
    return all.find(({ Name }) => Name === policy)?.ID ?? assert.fail(policy);
  };
  /** A way to log in, for whoever has a token signed with the key. */
  const makeDoor = (publicKey: KeyObject) => {
    const Config = { JWTValidationPubKeys: [publicKey.export({ type: "spki", format: "pem" })], BoundIssuer: "me" };
    return make("auth-method", { Name: "door", Type: "jwt", Config });
  };
  const logIn = async (privateKey: KeyObject): Promise<Made> => {
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Math.floor(Date.now() / 1000);
    const head = `${encoded({ alg: "ES256", typ: "JWT" })}.${encoded({ iss: "me", sub: "s", iat: now - 5, nbf: now - 5, exp: now + 600 })}`;
    const signature = sign("sha256", Buffer.from(head), { key: privateKey, dsaEncoding: "ieee-p1363" });
    const BearerToken = `${head}.${signature.toString("base64url")}`;
    return (await consul.request("POST", "/v1/acl/login", { AuthMethod: "door", BearerToken })) as Made;
  };
  const names = async (): Promise<string[]> => (await acl.read()).map(({ kind, name }) => `${kind} ${name}`).sort();
  let asMade: string[];

  it("are what somebody made, and nothing that Consul makes itself", async () => {
    asMade = await names();
    assert.deepEqual(asMade, [
      "AclPolicy lucid-acl-reader",
      "AclPolicy lucid-registrar-chain",
      "AclPolicy lucid-registrar-ops",
      "AclToken lucid-acl-reader",
      "AclToken lucid-registrar-chain",
      "AclToken lucid-registrar-ops",
    ]);
    assert.deepEqual((await of("AclToken", "lucid-registrar-ops"))?.fields, {
      policies: ["lucid-registrar-ops"],
      roles: [],
      serviceIdentities: [],
      nodeIdentities: [],
      templatedPolicies: [],
    });
    assert.match(String((await of("AclPolicy", "lucid-registrar-ops"))?.fields.rules), /^node_prefix "lucid-ops-"/);
  });

  it("cost nine requests where nothing has changed, and one more for each policy that has", async () => {
    const acls = ["auth-methods", "binding-rules", "policies", "roles", "tokens"].map((list) => `/v1/acl/${list}`);
    const tokenless = ["/v1/acl/token/self?stale", "/v1/agent/self", "/v1/catalog/services?stale"];
    const lists = [...acls, ...tokenless.map((path) => `${path} without a token`), "/v1/status/peers"].sort();
    asked.length = 0;
    await acl.read();
    assert.deepEqual([...asked].sort(), lists);
    const { ID } = await make("policy", { Name: "lucid-new", Rules: 'acl = "read"' });
    const before = (await of("AclPolicy", "lucid-new"))?.version;
    asked.length = 0;
    await make(`policy/${ID}`, { Name: "lucid-new", Rules: 'acl = "write"' });
    const after = await of("AclPolicy", "lucid-new");
    assert.deepEqual([...asked].sort(), [...lists, `/v1/acl/policy/${ID}`].sort());
    assert.equal(after?.fields.rules, 'acl = "write"');
    assert.notEqual(after.version, before);
    await remove("policy", ID);
    assert.deepEqual(await names(), asMade);
  });

  it("are asked for once each where a look breaks off", async () => {
    const rules: string[] = [];
    let broken = false;
    const breaking = but({
      read: (...question) => {
        const isRules = question[1].startsWith("/v1/acl/policy/");
        if (isRules) rules.push(question[1]);
        return isRules && broken ? Promise.reject(new Error("no answer")) : client.read(...question);
      },
    });
    const own = new ConsulAcl(breaking, { lastSuccess: undefined });
    await own.read();
    assert.equal(rules.length, 3);
    const [path = ""] = rules;
    const { Name, Rules } = (await consul.request("GET", path)) as { Name: string; Rules: string };
    const set = (text: string) => consul.request("PUT", path, { Name, Rules: text });
    await set(`${Rules}\n`);
    rules.length = 0;
    broken = true;
    await assert.rejects(own.read(), /no answer/);
    broken = false;
    await own.read();
    assert.deepEqual(rules, [path, path], "the first of them, and no other");
    await set(Rules);
  });

  it("tell what a token gives that somebody made, by what Consul calls it", async () => {
    const Policies = [{ Name: "global-management" }];
    const { AccessorID } = await make("token", { Description: "for a moment", Policies });
    assert.match((await of("AclToken", AccessorID))?.gives ?? "", /^policy global-management, since 20\d\d-/);
    await remove("token", AccessorID);
    const identities = {
      ServiceIdentities: [{ ServiceName: "web", Datacenters: ["dc1"] }],
      NodeIdentities: [{ NodeName: "n1", Datacenter: "dc1" }],
      TemplatedPolicies: [
        { TemplateName: "builtin/service", TemplateVariables: { Name: "db" } },
        { TemplateName: "builtin/dns" },
      ],
    };
    const other = await make("token", identities);
    assert.deepEqual((await of("AclToken", other.AccessorID))?.fields, {
      policies: [],
      roles: [],
      serviceIdentities: ["web in dc1"],
      nodeIdentities: ["n1 in dc1"],
      templatedPolicies: ["builtin/dns", "builtin/service db"],
    });
    await remove("token", other.AccessorID);
    const nothing = await make("token", { Description: "gives nothing" });
    assert.deepEqual(await names(), asMade);
    await remove("token", nothing.AccessorID);
  });

  it("leave a name to the oldest token that bears it", async () => {
    const Description = "lucid-registrar-ops: Registers the services of zone ops";
    const { AccessorID } = await make("token", { Description, Policies: [{ Name: "lucid-registrar-ops" }] });
    assert.deepEqual(await names(), [...asMade, `AclToken ${AccessorID}`].sort());
    await remove("token", AccessorID);
  });

  it("have one token of the servers' own, which may do everything", async () => {
    const Description = "Initial Management Token";
    const { AccessorID } = await make("token", { Description, Policies: [{ Name: "global-management" }] });
    assert.deepEqual(await names(), [...asMade, `AclToken ${AccessorID}`].sort());
    await remove("token", AccessorID);
    assert.deepEqual(await names(), asMade);
  });

  it("tell of a token that took the place of the servers' own", async () => {
    const other = await TestConsul.start();
    const reader = new ConsulClient<typeof ACL_READER>(other.config);
    const tokens = async () =>
      (await new ConsulAcl(reader, { lastSuccess: undefined }).read())
        .filter(({ kind }) => kind === "AclToken")
        .map(({ name }) => name);
    try {
      const made = await tokens();
      const listed = (await other.request("GET", "/v1/acl/tokens")) as readonly (Made & { Description: string })[];
      const own = listed.find(({ Description }) => Description === "Initial Management Token");
      const body = { Description: "Initial Management Token", Policies: [{ Name: "global-management" }] };
      const twin = (await other.request("PUT", "/v1/acl/token", body)) as Made;
      const place = `http://127.0.0.1:${String(other.httpPort)}/v1/acl/token/${own?.AccessorID ?? ""}`;
      // No token takes itself away.
      const gone = await fetch(place, { method: "DELETE", headers: { "X-Consul-Token": twin.SecretID } });
      assert.equal(gone.status, 200);
      assert.deepEqual((await tokens()).sort(), [...made, twin.AccessorID].sort());
    } finally {
      reader.close();
      await other.stop();
    }
  });

  it("tell what whoever shows no token may do, once that is anything", async () => {
    await make(ANONYMOUS, { Policies: [{ Name: "builtin/global-read-only" }] });
    assert.equal(
      (await of("AclToken", "anonymous"))?.gives,
      "policy builtin/global-read-only to whoever shows no token",
    );
    await make(ANONYMOUS, { Description: "changed" });
    assert.deepEqual(await names(), asMade);
  });

  it("tell what a server gives to whoever shows no token, whatever it does so by", async () => {
    const stand = (Token: string) => consul.request("PUT", "/v1/agent/token/default", { Token });
    const gives = async () => (await of("AclToken", "anonymous"))?.gives;
    const by = "to whoever shows no token, by how server 127.0.0.1 is configured";
    const wide = await make(`policy`, { Name: "wide", Rules: 'service_prefix "" { policy = "read" }' });
    const writer = await make("policy", { Name: "writer", Rules: 'acl = "write"' });
    const everything = await make("token", { Policies: [{ Name: "global-management" }] });
    const unseen = await make("token", { Policies: [{ Name: "writer" }] });
    const long = await make("token", { Description: "l".repeat(100_000) });
    try {
      assert.equal(await gives(), undefined);
      await stand(everything.SecretID);
      const all = `names, the server's own configuration, what token ${everything.AccessorID} gives`;
      assert.equal(await gives(), `${all} ${by}`);
      await make(ANONYMOUS, { Policies: [{ Name: "wide" }] });
      assert.equal(await gives(), `policy wide to whoever shows no token, and ${all} ${by}`);
      await stand("");
      assert.equal(await gives(), "policy wide to whoever shows no token", "an ACL says all of it");
      await make(ANONYMOUS, { Policies: [] });
      // By this one nobody is shown a name.
      await stand(unseen.SecretID);
      const found = await of("AclToken", "anonymous");
      assert.equal(found?.gives, `what token ${unseen.AccessorID} gives ${by}`);
      assert.ok(!JSON.stringify(found).includes(unseen.SecretID));
      await stand(long.SecretID);
      assert.equal(await gives(), `what token of a very long description gives ${by}`);
      await stand("anonymous");
      assert.equal(await gives(), undefined, "as if none stood in");
      await consul.request("PUT", "/v1/agent/token/agent_recovery", { Token: "recovery" });
      await stand("recovery");
      assert.equal(await gives(), `the server's own configuration ${by}`, "it is no token that is listed");
    } finally {
      await stand("");
      await make(ANONYMOUS, { Policies: [] });
      for (const { AccessorID } of [everything, unseen, long]) await remove("token", AccessorID);
      for (const { ID } of [wide, writer]) await remove("policy", ID);
    }
    assert.deepEqual(await names(), asMade);
  });

  it("are read where Consul has nothing to say to whoever shows no token, and not where it says nothing", async () => {
    const refusing = but({ readOpenly: () => Promise.reject(new ConsulError(403, "Permission denied", "GET")) });
    assert.deepEqual(await new ConsulAcl(refusing, { lastSuccess: undefined }).read(), await acl.read());
    for (const failure of [new Error("no answer"), new ConsulError(500, "No cluster leader", "GET")]) {
      const silent = but({ readOpenly: () => Promise.reject(failure) });
      await assert.rejects(new ConsulAcl(silent, { lastSuccess: undefined }).read(), failure);
    }
  });

  it("tell of a policy of Consul's own that is called otherwise", async () => {
    const id = "00000000-0000-0000-0000-000000000001";
    const { Rules } = (await consul.request("GET", `/v1/acl/policy/${id}`)) as { Rules: string };
    await make(`policy/${id}`, { Name: "lucid-harmless", Rules });
    try {
      const found = await names();
      assert.ok(found.includes("AclPolicy lucid-harmless"), found.join());
      assert.ok(
        found.some((name) => /^AclToken [0-9a-f]{8}-/.test(name)),
        "the servers' own token has it",
      );
    } finally {
      await make(`policy/${id}`, { Name: "global-management", Rules });
    }
    assert.deepEqual(await names(), asMade);
  });

  it("tell of roles, ways to log in and what they give, and of no login but one that was changed, however many there are", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const role = await make("role", { Name: "wide", Policies: [{ Name: "global-management" }] });
    assert.equal((await of("AclRole", "wide"))?.gives, "policy global-management");
    await makeDoor(publicKey);
    assert.deepEqual((await of("AclAuthMethod", "door"))?.fields, { type: "jwt" });
    const rule = { AuthMethod: "door", BindType: "role", BindName: "wide", Selector: "" };
    const { ID } = await make("binding-rule", rule);
    assert.equal((await of("AclBindingRule", ID))?.gives, "role wide to who logs in by door");
    const before = await names();
    const made = await Promise.all(Array.from({ length: 20 }, () => logIn(privateKey)));
    assert.equal(new Set(made.map(({ AccessorID }) => AccessorID)).size, 20);
    assert.deepEqual(await names(), before);
    await assert.rejects(make("token", { AuthMethod: "door" }), /disallowed outside of login/);
    const [{ AccessorID } = assert.fail()] = made;
    const wider = { AccessorID, AuthMethod: "door", Local: true, Policies: [{ Name: "global-management" }] };
    await make(`token/${AccessorID}`, wider);
    assert.match((await of("AclToken", AccessorID))?.gives ?? "", /^policy global-management, since 20\d\d-/);
    const late = but({
      read: async (...question) => {
        // Between the one list and the other the way to log in goes, and its tokens with it.
        if (question[1].endsWith("auth-methods")) await remove("auth-method", "door");
        return client.read(...question);
      },
    });
    const seen = await new ConsulAcl(late, { lastSuccess: undefined }).read();
    assert.deepEqual(
      seen
        .filter(({ kind }) => kind === "AclToken" || kind === "AclAuthMethod")
        .map(({ name }) => name)
        .sort(),
      asMade.flatMap((name) => (name.startsWith("AclToken ") ? [name.slice("AclToken ".length)] : [])),
    );
    await remove("role", role.ID);
    assert.deepEqual(await names(), asMade, "what was given by a login has gone with the way to log in");
  });

  it("tell of a login whose way to log in was never there", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { ID } = await make("policy", { Name: "wide", Rules: 'acl = "write"' });
    await makeDoor(publicKey);
    await make("binding-rule", { AuthMethod: "door", BindType: "policy", BindName: "wide", Selector: "" });
    const { AccessorID } = await logIn(privateKey);
    assert.equal(await of("AclToken", AccessorID), undefined);
    // No API takes the way away and leaves its logins there. Who may restore a snapshot may have edited it.
    await consul.editState((state) =>
      Buffer.from(state.toString("latin1").replaceAll("\xa4Name\xa4door", "\xa4Name\xa4gone"), "latin1"),
    );
    await remove("auth-method", "gone");
    try {
      assert.equal(((await consul.request("GET", "/v1/acl/auth-methods")) as readonly unknown[]).length, 0);
      assert.match((await of("AclToken", AccessorID))?.gives ?? "", /^policy wide, since 20\d\d-/);
    } finally {
      await remove("token", AccessorID);
      for (const rule of (await consul.request("GET", "/v1/acl/binding-rules")) as readonly Made[])
        await remove("binding-rule", rule.ID);
      await remove("policy", ID);
    }
    assert.deepEqual(await names(), asMade);
  });

  it("are read whole or not at all", async () => {
    const broken = but({
      read: (name, path, limit) =>
        path.endsWith("binding-rules")
          ? Promise.resolve({ value: { no: "list" }, bytes: 0 })
          : client.read(name, path, limit),
    });
    await assert.rejects(new ConsulAcl(broken, { lastSuccess: undefined }).read());
  });

  describe("that are not shown", () => {
    const refusal = async (isKnown: boolean, why: RegExp): Promise<void> => {
      await assert.rejects(acl.read(), (error) => {
        assert.ok(error instanceof AccessRefused, String(error));
        assert.match(error.why, why);
        assert.equal(error.isKnown, isKnown);
        return true;
      });
    };

    it("are refused to a known token that may read them no more", async () => {
      const ID = await idOf("lucid-acl-reader");
      await make(`policy/${ID}`, { Name: "lucid-acl-reader", Rules: 'operator = "read"' });
      try {
        await refusal(true, /^Consul answered 403: Permission denied: .*acl:read/);
      } finally {
        await make(`policy/${ID}`, { Name: "lucid-acl-reader", Rules: 'acl = "read"' });
      }
      assert.deepEqual(await names(), asMade);
    });

    it("are refused to a token that Consul doesn't know, and to who has none", async () => {
      const file = join(consul.folder, "tokens", ACL_READER);
      const token = readFileSync(file, "utf8");
      try {
        writeFileSync(file, "44444444-0000-4000-8000-5a1b2c3d4e5f\n");
        await refusal(false, /^Consul answered 403: ACL not found/);
        rmSync(file);
        await refusal(false, /ENOENT.*acl-reader/);
      } finally {
        writeFileSync(file, token);
      }
      assert.deepEqual(await names(), asMade);
    });

    it("are not looked through where there are more of them than are read, known ones included", async () => {
      const whole = new ConsulAcl(client, { lastSuccess: undefined });
      await whole.read();
      const all = await Promise.all(
        ["tokens", "policies", "roles", "auth-methods", "binding-rules"].map(
          async (list) => (await client.read(ACL_READER, `/v1/acl/${list}`, 1e6)).bytes,
        ),
      );
      const lists = all.reduce((sum, bytes) => sum + bytes, 0);
      const tooMuch = (limit: number) => (error: unknown) =>
        error instanceof AccessRefused &&
        error.isKnown &&
        error.why === `there are more than ${String(limit)} bytes of ACLs`;
      const narrow = new ConsulAcl(client, { lastSuccess: undefined }, lists);
      await assert.rejects(narrow.read(), tooMuch(lists), "with the rules it is more");
      const ID = await idOf("lucid-registrar-chain");
      const { Rules } = (await consul.request("GET", `/v1/acl/policy/${ID}`)) as { Rules: string };
      const set = (text: string) => make(`policy/${ID}`, { Name: "lucid-registrar-chain", Rules: text });
      const enough = lists + 20_000;
      const wide = new ConsulAcl(client, { lastSuccess: undefined }, enough);
      await wide.read();
      // One policy after the other is changed: each look reads one.
      const more: Made[] = [];
      try {
        await set(`${Rules}#${" ".repeat(12_000)}\n`);
        await wide.read();
        more.push(await make("policy", { Name: "more", Rules: `# ${" ".repeat(12_000)}` }));
        await assert.rejects(wide.read(), tooMuch(enough));
        await assert.rejects(wide.read(), tooMuch(enough));
      } finally {
        await set(Rules);
        for (const { ID: id } of more) await remove("policy", id);
      }
      await wide.read();
    });

    it("are refused by a server that was told to ask for no token", async () => {
      const disabled = but({ read: () => Promise.reject(new ConsulError(401, "ACL support disabled", "GET")) });
      const read = new ConsulAcl(disabled, { lastSuccess: undefined }).read();
      await assert.rejects(read, (error) => {
        assert.ok(error instanceof AccessRefused);
        return error.isKnown && error.why === "Consul answered 401: ACL support disabled";
      });
    });

    it("are not refused where there is no answer", async () => {
      const away = new ConsulClient<typeof ACL_READER>({ ...consul.config, address: new URL("https://127.0.0.1:1") });
      const read = new ConsulAcl(away, { lastSuccess: undefined }).read();
      await assert.rejects(read, (error) => error instanceof Error && !(error instanceof AccessRefused));
      away.close();
    });

    it("are others' to be served by, each time", async () => {
      const registrar = new ConsulClient(consul.config);
      const served = new ConsulAcl(client, registrar);
      const before = served.othersServed;
      assert.equal(before, undefined);
      await registrar.request("ops", "GET", "/v1/catalog/nodes");
      assert.ok(Date.now() - (served.othersServed ?? 0) < 5_000);
      registrar.close();
    });
  });

  describe("by that token", () => {
    const refused = (error: unknown) => error instanceof ConsulError && error.status === 403;
    const ask = (method: "GET" | "PUT", path: string, body?: unknown) =>
      client.request(ACL_READER, method, `/v1/${path}`, body);
    const tokens = async () => (await ask("GET", "acl/tokens")) as readonly Made[];

    it("show no secret, of a token nor of its own", async () => {
      const listed = await tokens();
      assert.ok(listed.length >= 5);
      for (const { AccessorID, SecretID } of listed) {
        assert.equal(SecretID, "<hidden>");
        const one = (await ask("GET", `acl/token/${AccessorID}?expanded=true`)) as Made;
        assert.equal(one.SecretID, "<hidden>");
      }
    });

    it("can't be changed", async () => {
      const AccessorID = (await tokens()).at(0)?.AccessorID ?? "";
      for (const [path, body] of [
        ["acl/policy", { Name: "mine", Rules: 'acl = "write"' }],
        ["acl/role", { Name: "mine" }],
        ["acl/token", {}],
        [`acl/token/${AccessorID}`, { Policies: [{ Name: "global-management" }] }],
        [`acl/token/${AccessorID}/clone`, { Description: "mine" }],
        ["acl/auth-method", { Name: "mine", Type: "jwt", Config: {} }],
        ["acl/binding-rule", { AuthMethod: "mine", BindType: "role", BindName: "wide" }],
      ] as const)
        await assert.rejects(ask("PUT", path, body), refused, path);
    });

    it("are all that is shown: no name, no snapshot, nobody registered", async () => {
      assert.deepEqual(await ask("GET", "catalog/services"), {});
      assert.deepEqual(await ask("GET", "catalog/nodes"), []);
      await assert.rejects(ask("GET", "snapshot"), refused);
      await assert.rejects(ask("GET", "operator/raft/configuration"), refused);
      await assert.rejects(ask("PUT", "catalog/register", { Node: "mine", Address: "10.0.0.1" }), refused);
    });

    it("are shown to nobody who registers", async () => {
      const registrar = new ConsulClient(consul.config);
      await assert.rejects(registrar.request("ops", "GET", "/v1/acl/policies"), refused);
      registrar.close();
    });
  });
});
