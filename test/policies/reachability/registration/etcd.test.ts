import assert from "node:assert/strict";
import { revokedMesh } from "../../../unit/envoy/revoked";
import { etcdSettings } from "../../../unit/proof/lucid";
import { ACL, ChangedPlan } from "./planned";

const DOCUMENT = "etcd-access-document";
const NAMES = "/skydns/internal/lucid/discovery/";
const PAYOUTS = `${NAMES}service/payout-router/`;

interface Access {
  roles: Record<string, { prefix: string; access: string }[]>;
  users: Record<string, { roles: string[]; password: boolean }>;
}

describe("the layer of registration, with etcd", function () {
  this.timeout(60_000);
  let plan: ChangedPlan;

  before(async () => {
    plan = await ChangedPlan.of(etcdSettings);
  });

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
  const changed = (change: (access: Access) => void) => {
    const data = plan.inputsOf(DOCUMENT).data as { readonly "access.json": string };
    const access = JSON.parse(data["access.json"]) as Access;
    change(access);
    return plan.withInputs(DOCUMENT, { data: { "access.json": JSON.stringify(access) } });
  };
  const granting = (role: string, prefix: string, access = "write") =>
    changed(({ roles }) => roles[role]?.push({ prefix, access }));

  it("finds nothing in what the program declares", () => {
    assert.deepEqual(plan.violations(), []);
    assert.deepEqual(plan.beyondCeiling(), []);
  });

  it("finds nothing while the controller is revoked: nobody registers", async () => {
    const revoked = await ChangedPlan.of(etcdSettings, revokedMesh("mesh-controller"));
    assert.deepEqual(revoked.violations(), []);
    assert.deepEqual(revoked.beyondCeiling(), []);
  });

  it("names who has the password, what he can register, the user and its role", () => {
    const [found] = granting("registrar-ops", PAYOUTS).violations();
    assert.equal(
      found,
      "registration: Mesh/etcd-access and Mesh/mesh-controller can register Wallet/payout-router by etcd's user registrar-ops, which nobody declared (it is what registers zone ops): " +
        `ConfigMap lucid-mesh/etcd-access-document, role registrar-ops, write of \`${PAYOUTS}\`; take the right out, or declare what it is for`,
    );
  });

  describe("finds in a role", () => {
    it("all names", () => {
      finds(granting("registrar-ops", NAMES), {
        proof: /can register .*Wallet\/payout-router.* by etcd's user registrar-ops/,
        pack: /^etcd-access-document: registration: .*Wallet\/payout-router/,
      });
    });
    it("a prefix that doesn't end with a name, and so is of all that begin alike", () => {
      finds(granting("registrar-ops", `${NAMES}service/payout`), {
        proof: /can register .*Wallet\/payout-router/,
        pack: /Wallet\/payout-router/,
      });
    });
    it("a name that nobody bears", () => {
      finds(granting("registrar-ops", `${NAMES}service/new/`), {
        proof: /can register names of new, from the key/,
        pack: /names of new/,
      });
    });
    it("keys that are no names", () => {
      finds(granting("registrar-ops", "/elsewhere/"), {
        proof: /can write keys from "\/elsewhere\/" on/,
        pack: /\/elsewhere\//,
      });
    });
    it("a resolver that registers", () => {
      finds(granting("resolver", PAYOUTS), {
        proof: /Mesh\/node-resolver can register Wallet\/payout-router by etcd's user node-resolver\.lucid\.internal/,
        pack: /Mesh\/node-resolver can register/,
      });
    });
    it("a resolver that reads what is no name", () => {
      finds(granting("resolver", "/", "read"), {
        proof: /Mesh\/node-resolver can read keys from/,
        pack: /Mesh\/node-resolver can read/,
      });
    });
    it("a right that is declared and missing", () => {
      finds(
        changed(({ roles }) => roles["registrar-wallet"]?.splice(1, 1)),
        { proof: /can't register Wallet\/[a-z-]+ by etcd's user registrar-wallet, which is declared/ },
      );
    });
    it("a resolver that can't look names up", () => {
      finds(
        changed(({ roles }) => (roles.resolver = [])),
        { proof: /Mesh\/node-resolver has nothing that looks names up for the node resolvers at etcd/ },
      );
    });
    it("a right that isn't known", () => {
      finds(granting("registrar-ops", PAYOUTS, "append"), {
        proof: /it isn't known what that lets be done/,
        pack: /it isn't known what that lets be done/,
      });
    });
  });

  describe("finds in a user", () => {
    it("another zone's role besides its own", () => {
      finds(
        changed(({ users }) => users["registrar-ops"]?.roles.push("registrar-wallet")),
        { proof: /can register .*Wallet\/payout-router.* by etcd's user registrar-ops/, pack: /Wallet\/payout-router/ },
      );
    });
    it("the role root", () => {
      finds(
        changed(({ users }) => users["registrar-ops"]?.roles.push("root")),
        { proof: /by etcd's user registrar-ops.*the role root/, pack: /the role root/ },
      );
    });
    it("a role that isn't there", () => {
      finds(
        changed(({ users }) => (users["registrar-ops"] = { roles: ["nobody's"], password: true })),
        { proof: /which is none of the document/, pack: /none of the document/ },
      );
    });
    it("one more, by the common name of another's certificate", () => {
      finds(
        changed(({ users }) => (users["admin-ui.lucid.internal"] = { roles: ["registrar-wallet"], password: false })),
        {
          proof: /Ops\/admin-ui has etcd's user admin-ui\.lucid\.internal by Secret lucid-ops\/admin-ui-tls/,
          pack: /Ops\/admin-ui has/,
        },
      );
    });
    it("nobody: the document is gone", () => {
      finds(plan.without(DOCUMENT), { proof: /the objects don't say who may do what at etcd/ });
    });
  });

  describe("finds who is a user", () => {
    it("by its password", () => {
      finds(plan.withSource("admin-ui-sidecar-tls", "stringData", "etcd-access-registrar-ops-password"), {
        proof: /Ops\/admin-ui has etcd's user registrar-ops by Secret lucid-ops\/admin-ui-tls/,
        pack: /Ops\/admin-ui has etcd's user registrar-ops/,
      });
    });
    it("by root's password", () => {
      finds(plan.withSource("mesh-controller-etcd-passwords", "stringData", "etcd-access-root-password"), {
        proof: /Mesh\/mesh-controller has etcd's user root by Secret lucid-mesh\/mesh-controller-etcd-passwords/,
        pack: /Mesh\/mesh-controller can write .* by etcd's user root/,
      });
    });
    it("by a certificate with its name", () => {
      finds(plan.withInputs("admin-ui-sidecar-request", { subject: { commonName: "registrar-wallet" } }), {
        proof: /Ops\/admin-ui has etcd's user registrar-wallet by Secret lucid-ops\/admin-ui-tls/,
        pack: /Ops\/admin-ui has etcd's user registrar-wallet/,
      });
    });
    it("by a certificate with root's name", () => {
      finds(plan.withInputs("admin-ui-sidecar-request", { subject: { commonName: "root" } }), {
        proof: /Ops\/admin-ui has etcd's user root/,
        pack: /Ops\/admin-ui has etcd's user root/,
      });
    });
    it("no more, who is to register", () => {
      finds(
        plan.with("mesh-controller-etcd-passwords", (spec) => ({ ...spec, sources: {} })),
        {
          proof: /Mesh\/mesh-controller has nothing that registers zone ops at etcd/,
        },
      );
    });
    it("by a password of which it can't be told whose it is", () => {
      finds(
        plan.with("etcd-access-root-password", (spec) => ({ ...spec, name: "a-password" })),
        { proof: /it can't be told whose password at etcd a-password is/, pack: /it can't be told whose password/ },
      );
    });
  });

  it("finds tokens of Consul's, which nobody declared then", () => {
    const both = plan
      .plus(ACL.policy, "left", { name: "left", rules: 'service_prefix "" { policy = "read" }' })
      .plus(ACL.token, "left-token", { policies: ["left"] });
    finds(both, {
      proof: /whoever has it can look up .* by AclToken left-token, which nobody declared \(nobody is to have any\)/,
    });
  });
});
