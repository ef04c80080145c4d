import assert from "node:assert/strict";
import { SelectorError, parseSelector } from "../../../../policies/consul/acl/selector";
import { ACL, ChangedPlan } from "./planned";

const FIELDS = ["serviceaccount.namespace", "serviceaccount.name"];

describe("a binding rule's selector", () => {
  const account = new Map([
    ["serviceaccount.namespace", "lucid-ops"],
    ["serviceaccount.name", "admin-ui"],
  ]);
  for (const [selector, expected] of [
    ["", true],
    ['serviceaccount.namespace == "lucid-ops"', true],
    ["serviceaccount.namespace==`lucid-ops`", true],
    ['serviceaccount.namespace == "lucid-wallet"', false],
    ['serviceaccount.namespace != "lucid-wallet"', true],
    ['serviceaccount.namespace == "lucid-ops" and serviceaccount.name == "prometheus"', false],
    ['serviceaccount.namespace == "lucid-wallet" or serviceaccount.name == "admin-ui"', true],
    // `and` binds before `or`.
    ['serviceaccount.name == "x" and serviceaccount.name == "x" or serviceaccount.name == "admin-ui"', true],
    ['serviceaccount.name == "x" and (serviceaccount.name == "x" or serviceaccount.name == "admin-ui")', false],
    ['not serviceaccount.name == "admin-ui"', false],
    ['not not (serviceaccount.name == "admin-ui")', true],
    ["serviceaccount.name is empty", false],
    ["serviceaccount.name is not empty", true],
  ] as const) {
    it(`${expected ? "selects" : "does not select"} by ${selector || "nothing"}`, () => {
      assert.equal(parseSelector(selector, FIELDS)(account), expected);
    });
  }
  for (const selector of [
    "serviceaccount.uid == `a`",
    'serviceaccount.name matches "^a"',
    'serviceaccount.name contains "a"',
    '"a" in serviceaccount.name',
    'serviceaccount.name == "a" serviceaccount.name == "b"',
    '(serviceaccount.name == "a"',
    "serviceaccount.name ==",
    'serviceaccount.name = "a"',
    'serviceaccount.name == "a\\"b"',
    "serviceaccount.name is missing",
  ]) {
    it(`is not read as ${selector}`, () => {
      assert.throws(() => parseSelector(selector, FIELDS), SelectorError);
    });
  }
});

describe("the layer of registration, with logins at Consul", function () {
  this.timeout(60_000);
  let plan: ChangedPlan;

  before(async () => {
    plan = (await ChangedPlan.of()).plus(ACL.authMethod, "pods", { name: "pods", type: "kubernetes" });
  });

  const binding = (inputs: Readonly<Record<string, string>>) =>
    plan.plus(ACL.bindingRule, "bound", { authMethod: "pods", ...inputs });
  const finds = (changed: ChangedPlan, expression: RegExp) => {
    for (const found of [changed.violations(), changed.beyondCeiling()])
      assert.ok(
        found.some((text) => expression.test(text)),
        found.join("\n") || "nothing is found",
      );
  };

  it("finds nothing in a method by which nobody is given anything", () => {
    assert.deepEqual(plan.violations(), []);
    assert.deepEqual(plan.beyondCeiling(), []);
  });

  it("finds who registers himself by a service identity, whoever he is", () => {
    const changed = binding({ bindType: "service", bindName: "${serviceaccount.name}" });
    finds(changed, /Wallet\/payout-router (can register|has a login) .*ServiceAccount lucid-wallet\/payout-router/);
    finds(changed, /ServiceAccount lucid-[a-z]+\/any-other at AclAuthMethod pods by AclBindingRule bound/);
  });

  it("finds whom a selector lets in, and nobody else", () => {
    const changed = binding({
      bindType: "service",
      bindName: "payout-router",
      selector: 'serviceaccount.namespace == "lucid-ops" and serviceaccount.name == "prometheus"',
    });
    finds(
      changed,
      /Ops\/prometheus (can register Wallet\/payout-router by|has) a login of ServiceAccount lucid-ops\/prometheus at AclAuthMethod pods by AclBindingRule bound/,
    );
    assert.ok(changed.violations().every((text) => text.includes("Ops/prometheus")));
  });

  it("finds a role and a policy that are bound", () => {
    const role = plan
      .plus(ACL.role, "wide", { name: "wide", policies: ["lucid-registrar-wallet"] })
      .plus(ACL.bindingRule, "bound", {
        authMethod: "pods",
        bindType: "role",
        bindName: "wide",
        selector: 'serviceaccount.name == "admin-ui" and serviceaccount.namespace == "lucid-ops"',
      });
    finds(role, /Ops\/admin-ui has a login of ServiceAccount lucid-ops\/admin-ui|Ops\/admin-ui can register/);
    finds(binding({ bindType: "policy", bindName: "global-management" }), /Consul's own policy global-management/);
  });

  it("finds a node's identity and a templated policy", () => {
    finds(binding({ bindType: "node", bindName: "consul-0" }), /can write the node `consul-0`/);
    const templated = plan.plus(ACL.bindingRule, "bound", {
      authMethod: "pods",
      bindType: "templated-policy",
      bindName: "builtin/service",
      bindVars: { name: "payout-router" },
    });
    finds(templated, /can register .*Wallet\/payout-router/);
  });

  it("takes an account for whom it is called at Consul", () => {
    const metadata = plan.inputsOf("admin-ui-account").metadata as { readonly name: string };
    const changed = binding({
      bindType: "service",
      bindName: "${serviceaccount.name}",
      selector: 'serviceaccount.name == "payout-router" and serviceaccount.namespace == "lucid-ops"',
    }).withInputs("admin-ui-account", {
      metadata: { ...metadata, annotations: { "consul.hashicorp.com/service-name": "payout-router" } },
    });
    finds(changed, /Ops\/admin-ui (can register Wallet\/payout-router by|has) a login/);
  });

  it("finds nothing where a name is made that Consul takes for none, and where a role isn't there", () => {
    assert.deepEqual(binding({ bindType: "service", bindName: "${serviceaccount.name}.x" }).violations(), []);
    assert.deepEqual(binding({ bindType: "role", bindName: "nobody" }).violations(), []);
  });

  for (const [what, inputs, expression] of [
    ["a selector", { selector: 'serviceaccount.name matches "a"' }, /its selector can't be judged/],
    ["a variable", { bindName: "${serviceaccount.uid}" }, /it isn't known what \$\{serviceaccount\.uid\} is/],
    ["an expression", { bindName: "${upper(serviceaccount.name)}" }, /has an expression that isn't read/],
    ["a type", { bindType: "partition" }, /it isn't known what the bind type "partition" gives/],
    ["a method", { authMethod: "others" }, /is of the method others, which is not among the objects/],
  ] as const) {
    it(`can't judge ${what} that it doesn't know`, () => {
      finds(binding({ bindType: "service", bindName: "a", ...inputs }), expression);
    });
  }

  it("can't judge who logs in by something else than a ServiceAccount", () => {
    const jwt = plan
      .plus(ACL.authMethod, "people", { name: "people", type: "jwt" })
      .plus(ACL.bindingRule, "bound", { authMethod: "people", bindType: "service", bindName: "a" });
    finds(jwt, /it can't be told who logs in by a method of type jwt/);
  });
});
