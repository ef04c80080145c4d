/** Consul's ACLs changed by hand, at a real Consul: what the controller says of it, by a token that may read them and nothing else. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { textDigest } from "../../../mesh/declarations";
import { TestConsul } from "../../../services/controller/test/support/consul";
import { plannedResources } from "../../policies/support/planned";
import { eventually } from "../support/eventually";
import { backendOf, type Backend } from "./backends";
import { ControllerLab } from "./lab";
import type { Replica } from "./replica";

/** Within which a drift is told of. */
const TOLD_SECONDS = 10;
const CONTROLLER = "mesh-controller";
const CONFIG_MAPS = "/api/v1/namespaces/lucid-mesh/configmaps";
const ANONYMOUS = "token/00000000-0000-0000-0000-000000000002";
const MANAGEMENT = [{ Name: "global-management" }];

interface Made {
  readonly ID: string;
  readonly AccessorID: string;
  readonly SecretID: string;
}

describe("drift of Consul's ACLs", function () {
  this.timeout(600_000);
  let consul: TestConsul;
  let backend: Backend;
  let lab: ControllerLab;
  let leader: Replica;

  const make = async (what: string, body: object): Promise<Made> =>
    (await consul.request("PUT", `/v1/acl/${what}`, body)) as Made;
  const remove = (what: string, id: string) => consul.request("DELETE", `/v1/acl/${what}/${id}`);

  before(async () => {
    consul = await TestConsul.start();
    await declareAcls(consul);
    backend = backendOf(consul);
    lab = await ControllerLab.start(backend, {
      LUCID_NAMESPACES: "lucid-ops=ops,lucid-mesh=mesh",
      DRIFT_REPAIRS: "isolation,admission",
    });
    leader = await lab.replica();
    await eventually("a leader", async () => {
      assert.ok((await leader.status()).leading);
    });
  });
  after(async () => {
    await lab.stop();
    await backend.stop();
  });

  const events = async (reason: string): Promise<readonly string[]> => {
    const { items } = (await lab.api.ask({
      method: "GET",
      path: "/api/v1/namespaces/lucid-mesh/events",
    })) as unknown as {
      items: readonly {
        readonly reason: string;
        readonly message: string;
        readonly involvedObject: { readonly name: string };
      }[];
    };
    return items
      .filter((item) => item.reason === reason && item.involvedObject.name === CONTROLLER)
      .map((item) => item.message);
  };
  const told = (message: RegExp) =>
    eventually(
      `the Event of ${String(message)}`,
      async () => {
        const messages = await events("EnforcementLost");
        assert.ok(
          messages.some((text) => message.test(text)),
          `${messages.join("\n")}\n${leader.output.slice(-2000)}`,
        );
      },
      TOLD_SECONDS,
    );
  const condition = (expected: string, message = /./) =>
    eventually(
      `Drifted ${expected}`,
      async () => {
        const { status } = await lab.meshService("lucid-mesh", CONTROLLER);
        const found = status?.conditions?.find(({ type }) => type === "Drifted");
        assert.equal(found?.status ?? "absent", expected, found?.message);
        assert.match(found?.message ?? "", message);
      },
      TOLD_SECONDS,
    );
  const counted = () => leader.counted("lucid_controller_drift", 'zone="mesh"', 'class="enforcement"');
  /** All that is told of something while it stands there: an Event, the condition, the metric; and of its end. */
  const isTold = async (message: RegExp, undo: () => Promise<unknown>, count = 1): Promise<void> => {
    await told(message);
    await condition("True", message);
    assert.equal(await counted(), count);
    await undo();
    await condition("False");
    await eventually("the metric", async () => {
      assert.equal(await counted(), 0);
    });
  };

  /** Looks at ACLs that the leader was answered, each of several requests. */
  const answers = () =>
    leader.counted("lucid_controller_registry_request_duration_seconds_count", 'zone="none"', 'status="200"');

  it("is none of what was declared and made", async () => {
    await condition("False");
    const before = await answers();
    assert.ok(before >= 5, "ACLs were read before that was said");
    await sleep(7_000);
    assert.ok((await answers()) >= before + 5, "and are again");
    await condition("False");
    assert.deepEqual(await events("EnforcementLost"), []);
    assert.equal(await counted(), 0);
  });

  it("of a policy's rules is told of, each change anew", async () => {
    const policy = await idOf("policies", "lucid-registrar-ops");
    const before = (await consul.request("GET", `/v1/acl/policy/${policy}`)) as { Rules: string };
    const set = (Rules: string) => make(`policy/${policy}`, { Name: "lucid-registrar-ops", Rules });
    await set(`${before.Rules}service_prefix "" {\n  policy = "write"\n}\n`);
    await isTold(
      /AclPolicy lucid-registrar-ops was changed \(rules\), the discovery backend does not note by whom/,
      () => set(before.Rules),
    );
    const earlier = (await events("EnforcementLost")).length;
    await set('acl = "write"\n');
    await eventually(
      "the second Event",
      async () => {
        assert.equal((await events("EnforcementLost")).length, earlier + 1);
      },
      TOLD_SECONDS,
    );
    await set(before.Rules);
    await condition("False");
  });

  it("of a token's policies, roles and identities is told of, and of its being gone", async () => {
    const name = "lucid-registrar-ops";
    const { AccessorID, Description } = await tokenOf(name);
    const set = (more: object) =>
      make(`token/${AccessorID}`, { AccessorID, Description, Policies: [{ Name: name }], ...more });
    await set({ Policies: [{ Name: name }, ...MANAGEMENT] });
    await isTold(/AclToken lucid-registrar-ops was changed \(policies\)/, () => set({}));
    await set({ ServiceIdentities: [{ ServiceName: "payout-router" }] });
    await isTold(/AclToken lucid-registrar-ops was changed \(serviceIdentities added\)/, () => set({}));
    const reader = await tokenOf("lucid-node-resolver");
    await remove("token", reader.AccessorID);
    await isTold(/AclToken lucid-node-resolver was removed/, () =>
      make("token", { Description: reader.Description, Policies: [{ Name: "lucid-node-resolver" }] }),
    );
  });

  it("of one more token is told of, whatever it is called", async () => {
    const { AccessorID } = await make("token", { Description: "for a moment", Policies: MANAGEMENT });
    await isTold(
      new RegExp(
        `AclToken ${AccessorID} was added \\(nobody declares it, and it gives policy global-management, since 20`,
      ),
      () => remove("token", AccessorID),
    );
    const { Description } = await tokenOf("lucid-registrar-ops");
    const twin = await make("token", { Description, Policies: [{ Name: "lucid-registrar-ops" }] });
    await isTold(new RegExp(`AclToken ${twin.AccessorID} was added .*gives policy lucid-registrar-ops`), () =>
      remove("token", twin.AccessorID),
    );
    const like = await make("token", { Description: "Initial Management Token", Policies: MANAGEMENT });
    await isTold(new RegExp(`AclToken ${like.AccessorID} was added .*gives policy global-management`), () =>
      remove("token", like.AccessorID),
    );
  });

  it("of what whoever shows no token may do is told of", async () => {
    await make(ANONYMOUS, { Policies: [{ Name: "lucid-registrar-ops" }] });
    await isTold(/AclToken anonymous was added .*gives policy lucid-registrar-ops to whoever shows no token/, () =>
      make(ANONYMOUS, { Policies: [] }),
    );
    const stand = (Token: string) => consul.request("PUT", "/v1/agent/token/default", { Token });
    // No name is shown by it, and ACLs may be written.
    const Rules = 'acl = "write"';
    const policy = await make("policy", { Name: "lucid-writer", Rules });
    const { AccessorID, SecretID } = await make("token", { Policies: [{ Name: "lucid-writer" }] });
    await told(new RegExp(`AclToken ${AccessorID} was added`));
    await stand(SecretID);
    await isTold(
      new RegExp(
        `AclToken anonymous was added .*gives what token ${AccessorID} gives to whoever shows no token, by how server 127.0.0.1 is configured`,
      ),
      async () => {
        await stand("");
        await remove("token", AccessorID);
        await remove("policy", policy.ID);
      },
      3,
    );
    assert.ok(!leader.output.includes(SecretID));
  });

  it("of a policy, a role, a way to log in and a second rule of what it gives is told of", async () => {
    const policy = await make("policy", { Name: "lucid-wide", Rules: 'operator = "write"' });
    await isTold(/AclPolicy lucid-wide was added \(nobody declares it/, () => remove("policy", policy.ID));
    const role = await make("role", { Name: "wide", Policies: MANAGEMENT });
    await isTold(/AclRole wide was added .*gives policy global-management/, () => remove("role", role.ID));
    const JWTValidationPubKeys = [PUBLIC_KEY];
    await make("auth-method", { Name: "door", Type: "jwt", Config: { JWTValidationPubKeys, BoundIssuer: "me" } });
    await told(/AclAuthMethod door was added/);
    const rule = { AuthMethod: "door", BindType: "policy", BindName: "global-management", Selector: "" };
    await make("binding-rule", rule);
    const second = await make("binding-rule", rule);
    await isTold(
      new RegExp(`AclBindingRule ${second.ID} was added .*gives policy global-management to who logs in by door`),
      // With it go its rules.
      () => remove("auth-method", "door"),
      3,
    );
  });

  it("is left to people, and told of without a failure of the controller's own", async () => {
    assert.deepEqual(await events("DriftRepaired"), []);
    assert.equal(await leader.counted("lucid_controller_failures_total", 'operation="drift"'), 0);
  });

  it("is none of what an update changes, or is about to delete", async () => {
    // As after an update that no longer declares a policy, and has not come to delete it yet.
    const [leaving, other] = await Promise.all(
      ["lucid-leaving", "lucid-other"].map((Name) => make("policy", { Name, Rules: 'operator = "read"' })),
    );
    assert.ok(leaving !== undefined && other !== undefined);
    await told(/AclPolicy lucid-leaving was added/);
    await told(/AclPolicy lucid-other was added/);
    const done = (digest: string | null) => part("lucid-declared-done", "AclPolicy.lucid-leaving", digest);
    await done("0".repeat(32));
    await condition("True", /^AclPolicy lucid-other was added[^;]*$/);
    // All is changed that it changes, and deleted is last.
    await done(null);
    await sleep(5_000);
    await condition("True", /^AclPolicy lucid-other was added[^;]*$/);
    await remove("policy", leaving.ID);
    await remove("policy", other.ID);
    await condition("False");
  });

  it("is none of what an update has changed by its end, however late that was looked at", async () => {
    const earlier = await events("EnforcementLost");
    const key = "AclPolicy.lucid-registrar-ops";
    const [declaration, text] = await declarationOf(key);
    const declared = JSON.parse(text) as { fields: { rules: string } };
    const { rules } = declared.fields;
    const ID = await idOf("policies", "lucid-registrar-ops");
    const update = async (Rules: string): Promise<void> => {
      const written = JSON.stringify({ ...declared, fields: { ...declared.fields, rules: Rules } });
      await part(declaration, key, written);
      // The policy is changed between two looks, and the update ends.
      await sleep(4_000);
      await make(`policy/${ID}`, { Name: "lucid-registrar-ops", Rules });
      await part("lucid-declared-done", key, textDigest(written));
      await sleep(4_000);
      await condition("False");
    };
    for (const comment of ["# once\n", "# twice\n", "# and a third time\n"]) await update(`${comment}${rules}`);
    assert.deepEqual(await events("EnforcementLost"), earlier);
    await make(`policy/${ID}`, { Name: "lucid-registrar-ops", Rules: rules });
    await condition("True", /AclPolicy lucid-registrar-ops was changed \(rules\)/);
    await update(rules);
  });

  it("is that they are shown no more, and a new leader takes that for no silence", async () => {
    const wide = await make("policy", { Name: "lucid-unseen", Rules: 'operator = "read"' });
    await told(/AclPolicy lucid-unseen was added/);
    const ID = await idOf("policies", "lucid-acl-reader");
    const reader = (Rules: string) => make(`policy/${ID}`, { Name: "lucid-acl-reader", Rules });
    await reader('operator = "read"');
    const lost =
      /AclToken lucid-acl-reader shows nobody any more who may do what at the discovery backend \(Consul answered 403: Permission denied/;
    await told(lost);
    await condition("True", lost);
    await condition("True", /lucid-unseen/);
    assert.equal(await counted(), 2);
    await leader.end("SIGKILL");
    const said = new Set<string>();
    const watching = new AbortController();
    const watched = (async () => {
      while (!watching.signal.aborted) {
        const { status } = await lab.meshService("lucid-mesh", CONTROLLER);
        said.add(status?.conditions?.find(({ type }) => type === "Drifted")?.status ?? "absent");
        await sleep(200);
      }
    })();
    leader = await lab.replica();
    await eventually("the metric of a new leader", async () => {
      assert.equal(await counted(), 1);
    });
    await condition("True", lost);
    watching.abort();
    await watched;
    assert.deepEqual([...said], ["True"]);
    await reader('acl = "read"\n');
    await condition("True", /^AclPolicy lucid-unseen was added[^;]*$/);
    await remove("policy", wide.ID);
    await condition("False");
  });

  it("is looked for again once Consul answers again", async () => {
    consul.freeze();
    await sleep(8_000);
    consul.thaw();
    const { AccessorID } = await make("token", { Policies: MANAGEMENT });
    await eventually(
      "the Event",
      async () => {
        assert.ok((await events("EnforcementLost")).some((text) => text.includes(AccessorID)));
      },
      20,
    );
    await remove("token", AccessorID);
    await condition("False");
  });

  /** As Pulumi writes what is declared. */
  function part(name: string, key: string, text: string | null) {
    return lab.api.ask({
      method: "PATCH",
      path: `${CONFIG_MAPS}/${name}?fieldManager=pulumi-kubernetes`,
      body: { data: { [key]: text } },
      contentType: "application/merge-patch+json",
    });
  }

  /** The ConfigMap in which something is declared, and as what. */
  async function declarationOf(key: string): Promise<readonly [string, string]> {
    const { items } = (await lab.api.ask({ method: "GET", path: CONFIG_MAPS })) as unknown as {
      items: readonly { readonly metadata: { readonly name: string }; readonly data?: Record<string, string> }[];
    };
    const found = items.find(({ metadata, data }) => /^lucid-declared-\d+$/.test(metadata.name) && data?.[key]);
    assert.ok(found, key);
    return [found.metadata.name, found.data?.[key] ?? ""];
  }

  async function idOf(list: string, name: string): Promise<string> {
    const all = (await consul.request("GET", `/v1/acl/${list}`)) as readonly {
      readonly ID: string;
      readonly Name: string;
    }[];
    return all.find(({ Name }) => Name === name)?.ID ?? "";
  }

  async function tokenOf(name: string): Promise<{ readonly AccessorID: string; readonly Description: string }> {
    const all = (await consul.request("GET", "/v1/acl/tokens")) as readonly {
      readonly AccessorID: string;
      readonly Description: string;
    }[];
    const found = all.find(({ Description }) => Description.startsWith(`${name}: `));
    assert.ok(found, name);
    return found;
  }
});

const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjH/teTsoFyNKR40F4XRjrtEw5U5M
YpcwiPTGHUrGBh1CkyfQzCpLZVA5do7HuS8iUHEUVfuSbpQThBRzfATQEQ==
-----END PUBLIC KEY-----
`;

/** What the program makes at Consul. */
async function declareAcls(consul: TestConsul): Promise<void> {
  const planned = (await plannedResources()).filter(({ type }) => type.startsWith("consul:index/acl"));
  assert.ok(planned.length >= 8, "policies and tokens are planned");
  for (const { type, inputs } of planned) {
    const {
      name = "",
      description = "",
      rules = "",
      policies = [],
    } = inputs as unknown as { name?: string; description?: string; rules?: string; policies?: readonly string[] };
    if (type.endsWith(":AclPolicy")) await consul.setPolicy({ Name: name, Description: description, Rules: rules });
    else await consul.setToken(description, policies);
  }
}
