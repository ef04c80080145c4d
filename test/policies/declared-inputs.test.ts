import assert from "node:assert/strict";
import type { PolicyResource } from "@pulumi/policy";
import { DeclaredInputs } from "../../policies/judgement/declared-inputs";

const URN = "urn:pulumi:dev::mesh::consul:index/aclPolicy:AclPolicy::registrar";
const DECLARED = { name: "registrar", rules: 'service "payout-router" { policy = "write" }' };

function answered(props: Readonly<Record<string, unknown>>, from: readonly PolicyResource[] = []): PolicyResource {
  return {
    type: "consul:index/aclPolicy:AclPolicy",
    name: "registrar",
    urn: URN,
    props,
    opts: {},
    dependencies: [],
    propertyDependencies: { rules: from },
  } as unknown as PolicyResource;
}

describe("what a rule about a stack sees of a resource", () => {
  const inputs = new DeclaredInputs();
  inputs.keep(URN, DECLARED);
  const seen = (resource: PolicyResource) => inputs.resources([resource])[0]?.properties.plain;

  it("is what its provider answered", () => {
    assert.deepEqual(seen(answered({ name: "registrar", rules: "" })), { name: "registrar", rules: "" });
  });

  it("is what it was declared with where the provider can't answer yet, whatever identifier the engine gives it", () => {
    assert.deepEqual(seen(answered({})), DECLARED);
    assert.deepEqual(seen(answered({ id: "unknown" })), DECLARED);
  });

  it("is nothing of a resource that was never judged by itself", () => {
    assert.deepEqual(seen({ ...answered({}), urn: `${URN}-other` }), {});
  });

  it("is so as well for a resource that a property comes from", () => {
    const [resource] = inputs.resources([answered({ rules: "" }, [answered({})])]);
    assert.deepEqual(
      resource?.origins("rules").map(({ properties }) => properties.plain),
      [DECLARED],
    );
  });
});
