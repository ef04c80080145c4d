import assert from "node:assert/strict";
import { revokedMesh } from "../../../unit/envoy/revoked";
import { settings } from "../../../unit/proof/lucid";
import { ACL, ChangedPlan } from "./planned";

const OPS = "consul-registrar-ops-policy";
const OPS_TOKEN = "consul-registrar-ops-token";
const RESOLVER = "consul-node-resolver-policy";

describe("the layer of registration, with Consul", function () {
  this.timeout(60_000);
  let plan: ChangedPlan;

  before(async () => {
    plan = await ChangedPlan.of();
  });

  /** Asserts what the program's proof finds, and what the pack finds beyond the ceiling; a change within the ceiling is none for it. */
  const finds = (changed: ChangedPlan, { proof, pack }: { readonly proof: RegExp; readonly pack?: RegExp }) => {
    const found = changed.violations();
    assert.ok(
      found.some((text) => proof.test(text)),
      found.join("\n") || "the proof finds nothing",
    );
    const beyond = changed.beyondCeiling();
    if (pack === undefined) assert.deepEqual(beyond, []);
    else
      assert.ok(
        beyond.some((text) => pack.test(text)),
        beyond.join("\n") || "the pack finds nothing",
      );
  };
  const rulesOf = (name: string) => plan.inputsOf(name).rules as string;
  const adding = (name: string, rules: string) => plan.withInputs(name, { rules: `${rulesOf(name)}\n${rules}` });

  it("finds nothing in what the program declares", () => {
    assert.deepEqual(plan.violations(), []);
    assert.deepEqual(plan.beyondCeiling(), []);
  });

  it("finds nothing while the controller is revoked: nobody registers", async () => {
    const revoked = await ChangedPlan.of(settings, revokedMesh("mesh-controller"));
    assert.deepEqual(revoked.violations(), []);
    assert.deepEqual(revoked.beyondCeiling(), []);
  });

  it("names the holder, what he can register, his token, its policy and the rule", () => {
    const [found] = adding(OPS, 'service "payout-router" { policy = "write" }').violations();
    assert.equal(
      found,
      "registration: Mesh/mesh-controller can register Wallet/payout-router by AclToken consul-registrar-ops-token, which nobody declared (it is what registers zone ops): " +
        'AclPolicy consul-registrar-ops-policy, `service "payout-router" { policy = "write" }`; take the right out, or declare what it is for',
    );
  });

  describe("of who takes snapshots, finds", () => {
    const [policy, token] = ["consul-snapshots-policy", "consul-snapshots-token"];
    // The ceiling lets the servers do everything; that a policy says no more than this is `consul-least-privilege`'s.
    it("a right more than Consul asks", () => {
      finds(plan.withInputs(policy, { rules: 'acl = "write"\noperator = "write"\n' }), {
        proof: /Mesh\/consul can write the operator, the mesh and the peering by AclToken consul-snapshots-token/,
      });
    });
    it("a right less, by which there would be no snapshot", () => {
      finds(plan.withInputs(policy, { rules: 'acl = "read"\n' }), {
        proof:
          /Mesh\/consul can't write ACLs by AclToken consul-snapshots-token, which is declared \(it is what takes snapshots\)/,
      });
    });
    it("no token", () => {
      finds(plan.without(token), {
        proof: /Mesh\/consul has nothing that takes snapshots at consul, which is declared/,
      });
    });
    for (const secret of ["mesh-controller-tokens", "node-resolver-config"])
      it(`it in a Secret of others: ${secret}`, () => {
        finds(plan.withSource(secret, "stringData", token), {
          proof:
            /has AclToken consul-snapshots-token by Secret .*: it is what takes snapshots, and for Mesh\/consul alone/,
          pack: /consul-snapshots-token/,
        });
      });
  });

  describe("of who compares ACLs, finds", () => {
    const [policy, token] = ["consul-acl-reader-policy", "consul-acl-reader-token"];
    it("a right to change them", () => {
      finds(plan.withInputs(policy, { rules: 'acl = "write"\n' }), {
        proof: /Mesh\/mesh-controller can write ACLs by AclToken consul-acl-reader-token, which nobody declared/,
        pack: /Mesh\/mesh-controller .*consul-acl-reader-token/,
      });
    });
    it("a right to something else", () => {
      finds(plan.withInputs(policy, { rules: 'acl = "read"\noperator = "read"\n' }), {
        proof:
          /Mesh\/mesh-controller can read the operator, the mesh and the peering by AclToken consul-acl-reader-token/,
        pack: /can read the operator, the mesh and the peering by AclToken consul-acl-reader-token/,
      });
    });
    it("no token", () => {
      finds(plan.without(token), {
        proof:
          /Mesh\/mesh-controller has nothing that compares ACLs with what was declared at consul, which is declared/,
      });
    });
    for (const secret of ["consul-snapshots", "node-resolver-config"])
      it(`it in a Secret of others: ${secret}`, () => {
        finds(plan.withSource(secret, "stringData", token), {
          proof:
            /has AclToken consul-acl-reader-token by Secret .*: it is what compares ACLs with what was declared, and for Mesh\/mesh-controller alone/,
          pack: /consul-acl-reader-token/,
        });
      });
  });

  describe("finds in a policy", () => {
    it("a prefix that covers every name", () => {
      finds(adding(OPS, 'service_prefix "" { policy = "write" }'), {
        proof: /can register Chain\/lucid-blocks, .* and every other service by AclToken consul-registrar-ops-token/,
        pack: /^consul-registrar-ops-token: registration: .*service_prefix ""/,
      });
    });
    it("a prefix that one other name begins with", () => {
      finds(adding(OPS, 'service_prefix "payout" { policy = "write" }'), {
        proof: /can register Wallet\/payout-router and every other service that begins with `payout` by/,
        pack: /Wallet\/payout-router/,
      });
    });
    it("a name that nobody bears", () => {
      finds(adding(OPS, 'service "new" { policy = "write" }'), {
        proof: /can register the service `new`/,
        pack: /the service `new`/,
      });
    });
    it("another zone's nodes, by which all that is on them can be taken away", () => {
      finds(adding(OPS, 'node_prefix "lucid-wallet-" { policy = "write" }'), {
        proof: /can write every other node that begins with `lucid-wallet-`/,
        pack: /lucid-wallet-/,
      });
    });
    it("names that it may look up beyond its own", () => {
      finds(adding(OPS, 'service_prefix "" { policy = "read" }'), {
        proof: /can look up .*Wallet\/payout-router.* by AclToken consul-registrar-ops-token/,
      });
    });
    for (const [rule, what] of [
      ['acl = "read"', "read ACLs"],
      ['acl = "write"', "write ACLs"],
      ['operator = "write"', "write the operator, the mesh and the peering"],
      ['keyring = "read"', "read the keyring"],
      ['mesh = "write"', "write the mesh"],
      ['peering = "read"', "read the peering"],
      ['key_prefix "" { policy = "list" }', "list every other key of the key-value store"],
      ['key "a" { policy = "write" }', "write the key of the key-value store `a`"],
      ['session_prefix "" { policy = "write" }', "write every other session on node"],
      ['event "deploy" { policy = "write" }', "write the event `deploy`"],
      ['query_prefix "" { policy = "read" }', "read every other prepared query"],
      ['agent_prefix "" { policy = "read" }', "read every other agent"],
    ] as const) {
      it(`a right to something else: ${rule}`, () => {
        const expression = new RegExp(`can ${what.replaceAll("-", "\\-")}`);
        finds(adding(OPS, rule), { proof: expression, pack: expression });
      });
    }
    it("intentions that may be written with a service", () => {
      const rules = rulesOf(OPS).replace('service "admin-ui" {', 'service "admin-ui" { intentions = "write"');
      assert.notEqual(rules, rulesOf(OPS));
      finds(plan.withInputs(OPS, { rules }), {
        proof: /can write intentions to the service `admin-ui`/,
        pack: /can write intentions/,
      });
    });
    it("a right that is declared and missing", () => {
      const rules = rulesOf(OPS).replace(/service "admin-ui" \{[^}]*\}/, "");
      finds(plan.withInputs(OPS, { rules }), {
        proof: /can't register Ops\/admin-ui by AclToken consul-registrar-ops-token, which is declared/,
      });
    });
    it("a right that is denied after all", () => {
      finds(adding(OPS, 'service "admin-ui" { policy = "deny" }'), {
        proof: /can't register Ops\/admin-ui by .* `service "admin-ui" \{ policy = "deny" \}`/,
      });
    });
    it("a right that another policy of the token denies: then whoever has either has what the other says", () => {
      const denying = plan
        .plus(ACL.policy, "denying", { name: "denying", rules: 'service "admin-ui" { policy = "deny" }' })
        .withInputs(OPS_TOKEN, { policies: ["lucid-registrar-ops", "denying"] });
      finds(denying, {
        proof: /policies of one bearer don't say the same of the same services/,
        pack: /don't say the same/,
      });
    });
    it("a resolver that registers", () => {
      finds(adding(RESOLVER, 'service_prefix "" { policy = "write" }'), {
        proof: /Mesh\/node-resolver can register .* by AclToken consul-node-resolver-token/,
        pack: /Mesh\/node-resolver can register/,
      });
    });
    it("a resolver that may not look up a name", () => {
      finds(adding(RESOLVER, 'service "payout-router" { policy = "deny" }'), {
        proof: /Mesh\/node-resolver can't look up Wallet\/payout-router/,
      });
    });
    it("a name that another has, in both: which of them tokens bear can't be told", () => {
      const beyond = plan.withInputs(OPS, { name: plan.inputsOf(RESOLVER).name ?? null }).beyondCeiling();
      for (const [policy, other] of [
        [OPS, RESOLVER],
        [RESOLVER, OPS],
      ])
        assert.ok(
          beyond.some((text) => text.startsWith(`${policy ?? ""}: `) && text.includes(`AclPolicy ${other ?? ""} too`)),
          beyond.join("\n"),
        );
    });
    it("rules that can't be read", () => {
      finds(plan.withInputs(OPS, { rules: 'service "a" { policy = "write"' }), {
        proof: /AclPolicy consul-registrar-ops-policy, rules: are not written as Consul's rule language is read here/,
        pack: /rules are not written|are not written/,
      });
    });
    it("a kind of rule that Consul is not known to have", () => {
      finds(adding(OPS, 'namespace "a" { policy = "write" }'), {
        proof: /is no rule that Consul is known to have/,
        pack: /is no rule that Consul is known to have/,
      });
    });
  });

  describe("finds in a token", () => {
    it("a policy of Consul's own", () => {
      finds(plan.withInputs(OPS_TOKEN, { policies: ["global-management"] }), {
        proof: /can write .* by AclToken consul-registrar-ops-token.*Consul's own policy global-management/,
        pack: /Consul's own policy global-management/,
      });
    });
    it("another zone's policy in its own one's place", () => {
      finds(plan.withInputs(OPS_TOKEN, { policies: ["lucid-registrar-chain"] }), {
        proof: /can register Chain\/lucid-blocks by AclToken consul-registrar-ops-token/,
      });
    });
    it("another zone's policy besides its own", () => {
      finds(plan.withInputs(OPS_TOKEN, { policies: ["lucid-registrar-ops", "lucid-registrar-wallet"] }), {
        proof: /can register .*Wallet\/payout-router.* by AclToken consul-registrar-ops-token/,
        pack: /Wallet\/payout-router/,
      });
    });
    it("a role, with the role's policy", () => {
      const roles = plan
        .plus(ACL.role, "wide", { name: "wide", policies: ["lucid-registrar-wallet"] })
        .withInputs(OPS_TOKEN, { roles: ["wide"] });
      finds(roles, {
        proof:
          /can register .*Wallet\/payout-router.*AclPolicy consul-registrar-wallet-policy by AclRole wide, `service/,
        pack: /by AclRole wide/,
      });
    });
    it("a policy that is attached to it", () => {
      const attached = plan
        .plus(ACL.tokenPolicy, "more", { policy: "lucid-registrar-wallet" })
        .withSource("more", "tokenId", OPS_TOKEN);
      finds(attached, {
        proof: /Wallet\/payout-router.* by AclToken consul-registrar-ops-token/,
        pack: /Wallet\/payout-router/,
      });
    });
    it("a service identity", () => {
      const identity = { serviceIdentities: [{ serviceName: "payout-router" }] };
      finds(plan.withInputs(OPS_TOKEN, identity), {
        proof:
          /can register Wallet\/payout-router by AclToken consul-registrar-ops-token.*service identity payout-router/,
        pack: /service identity payout-router/,
      });
    });
    it("a node identity", () => {
      const identity = { nodeIdentities: [{ nodeName: "consul-0", datacenter: "dc1" }] };
      finds(plan.withInputs(OPS_TOKEN, identity), {
        proof: /can write the node `consul-0`.*node identity consul-0/,
        pack: /node identity consul-0/,
      });
    });
    it("a templated policy", () => {
      const templated = { templatedPolicies: [{ templateName: "builtin/nomad-server" }] };
      finds(plan.withInputs(OPS_TOKEN, templated), {
        proof: /can write ACLs .*templated policy builtin\/nomad-server/,
        pack: /templated policy builtin\/nomad-server/,
      });
    });
    it("a templated policy that isn't known", () => {
      finds(plan.withInputs(OPS_TOKEN, { templatedPolicies: [{ templateName: "builtin/next" }] }), {
        proof: /what it gives can't be judged: a templated policy is of no template/,
        pack: /can't be judged/,
      });
    });
    it("a policy that the plan does not have", () => {
      finds(plan.withInputs(OPS_TOKEN, { policies: ["by-hand"] }), {
        proof: /what it gives can't be judged: the policy by-hand is not among the objects/,
        pack: /by-hand/,
      });
    });
    it("nothing at all", () => {
      finds(plan.without(OPS_TOKEN), { proof: /Mesh\/mesh-controller has nothing that registers zone ops at consul/ });
    });
  });

  it("finds what whoever shows no token may do", () => {
    const anonymous = plan.plus(ACL.tokenPolicy, "anonymous", {
      tokenId: "00000000-0000-0000-0000-000000000002",
      policy: "lucid-node-resolver",
    });
    finds(anonymous, {
      proof: /whoever shows no token has the anonymous token: it is what looks names up/,
      pack: /whoever shows no token/,
    });
  });

  describe("finds who has a token", () => {
    it("by a Secret of his", () => {
      const shared = plan.withSource("admin-ui-sidecar-tls", "stringData", OPS_TOKEN);
      finds(shared, {
        proof:
          /Ops\/admin-ui has AclToken consul-registrar-ops-token by Secret lucid-ops\/admin-ui-tls: it is what registers zone ops, and for Mesh\/mesh-controller alone/,
        pack: /Ops\/admin-ui has AclToken/,
      });
    });
    it("that may do everything", () => {
      const shared = plan.withSource("mesh-controller-tokens", "stringData", "consul-management-token");
      finds(shared, {
        proof: /Mesh\/mesh-controller has Consul's management token by Secret lucid-mesh\/mesh-controller-tokens/,
        pack: /Consul's management token/,
      });
    });
    it("no more, who is to register", () => {
      const severed = plan.with("mesh-controller-tokens", (spec) => ({ ...spec, sources: {} }));
      finds(severed, {
        proof: /Mesh\/mesh-controller has nothing that registers zone ops at consul.*lies in no object that it reads/,
      });
    });
  });

  it("finds a resource of Consul's that gives what nobody knows", () => {
    finds(plan.plus("consul:index/configEntry:ConfigEntry", "odd", { kind: "service-defaults" }), {
      proof: /ConfigEntry odd: it isn't known what a consul:index\/configEntry:ConfigEntry gives to whom/,
      pack: /^odd: registration: it isn't known/,
    });
  });

  it("finds a plan that says nothing of who may register", () => {
    let bare = plan;
    for (const name of [
      "consul-registrar-ops-token",
      "consul-registrar-chain-token",
      "consul-registrar-wallet-token",
      "consul-registrar-mesh-token",
      "consul-node-resolver-token",
    ])
      bare = bare.without(name);
    finds(bare, { proof: /has nothing that registers zone ops|the objects don't say who may do what at consul/ });
  });
});
