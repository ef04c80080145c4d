import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { jobsMesh } from "../../unit/envoy/jobs-fixture";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { digestOf } from "../../../policies/admission/seal";
import { SEALS } from "../../../policies/admission/seals";
import { admissionPolicies } from "../../../policies/rules/admission-policies";
import type { PlannedResource } from "../support/recorded-stack";
import { lucid, plannedResources } from "../support/planned";
import { assertFinds, assertPasses, findings } from "../support/judge";
import type { TestResource } from "../support/judge";
import { edit } from "../support/edit";
import type { Json, JsonObject } from "../support/edit";

const SEALS_FILE = path.resolve(__dirname, "../../../policies/admission/seals.json");

const asTest = ({ type, inputs }: PlannedResource): TestResource => ({ type, properties: inputs as JsonObject });

async function policies(
  mesh = lucid,
  changes: Readonly<Record<string, string>> = {},
): Promise<readonly PlannedResource[]> {
  const planned = await plannedResources(mesh, changes);
  return planned.filter(({ type }) => type.endsWith(":ValidatingAdmissionPolicy"));
}

async function resource(kind: "Policy" | "PolicyBinding", name: string): Promise<TestResource> {
  const found = (await plannedResources()).find(
    ({ type, properties }) =>
      type.endsWith(`:ValidatingAdmission${kind}`) && properties.at("metadata", "name").is(name),
  );
  assert.ok(found, name);
  return asTest(found);
}

/** The place of a variable's expression in a policy. */
function variable(policy: TestResource, name: string): string {
  const { variables } = policy.properties.spec as { variables: { name: string }[] };
  return `spec.variables[${String(variables.findIndex((each) => each.name === name))}].expression`;
}

describe("admission-policies", function () {
  this.timeout(60_000);

  before(async () => {
    if (process.env.UPDATE_SEALS !== "1") return;
    const seals = (await policies()).map(({ properties }): [string, string] => [
      properties.at("metadata", "name").text() ?? "",
      digestOf(properties.at("spec").plain),
    ]);
    writeFileSync(
      SEALS_FILE,
      `${JSON.stringify(Object.fromEntries(seals.sort(([a], [b]) => (a < b ? -1 : 1))), undefined, 2)}\n`,
    );
    Object.assign(SEALS, Object.fromEntries(seals));
  });

  it("passes every policy and binding of Lucid", async () => {
    const planned = (await plannedResources()).filter(({ type }) => admissionPolicies.concerns(type));
    assert.equal(planned.length, 2 * Object.keys(SEALS).length);
    for (const each of planned) assertPasses(admissionPolicies, asTest(each));
  });

  it("has the same seals for every mesh, with issuers or without", async () => {
    const rotating = await policies(lucid, { autoRotateCerts: "true" });
    for (const { properties } of [...(await policies(jobsMesh())), ...rotating]) {
      const name = properties.at("metadata", "name").text() ?? "";
      assert.equal(digestOf(properties.at("spec").plain), SEALS[name], name);
    }
  });

  it("has no line break in an expression, which CEL would not read", async () => {
    for (const { properties } of await policies())
      for (const leaf of properties.at("spec").leaves()) assert.doesNotMatch(leaf.text() ?? "", /\n/, leaf.path);
  });

  const LOOSENED: readonly (readonly [
    title: string,
    policy: string,
    path: string,
    value: Json | undefined,
    finds: RegExp,
  ])[] = [
    ["one that lets in what it can't judge", "lucid-network", "spec.failurePolicy", "Ignore", /failurePolicy `Ignore`/],
    ["one without failurePolicy", "lucid-network", "spec.failurePolicy", undefined, /failurePolicy missing/],
    [
      "one of fewer namespaces",
      "lucid-network",
      "spec.matchConstraints.namespaceSelector.matchExpressions[0].values",
      ["lucid-ops"],
      /not what was reviewed/,
    ],
    [
      "one of fewer operations",
      "lucid-network",
      "spec.matchConstraints.resourceRules[0].operations",
      ["CREATE"],
      /not what was reviewed/,
    ],
    [
      "one of fewer resources",
      "lucid-sidecars",
      "spec.matchConstraints.resourceRules[0].resources",
      ["replicationcontrollers"],
      /not what was reviewed/,
    ],
    [
      "one that leaves objects out by label",
      "lucid-members",
      "spec.matchConstraints.objectSelector",
      { matchLabels: { a: "b" } },
      /not what was reviewed/,
    ],
    [
      "one that leaves requests out",
      "lucid-members",
      "spec.matchConditions[0].expression",
      "false",
      /not what was reviewed/,
    ],
    ["one that asks less", "lucid-images", "spec.validations[0].expression", "true", /not what was reviewed/],
    ["one without a question", "lucid-pod-security", "spec.validations[0]", undefined, /not what was reviewed/],
    [
      "one with parameters",
      "lucid-network",
      "spec.paramKind",
      { apiVersion: "v1", kind: "ConfigMap" },
      /not what was reviewed/,
    ],
    ["one of another name", "lucid-network", "metadata.name", "other", /`other` is no admission policy of the mesh/],
    ["one under another's name", "lucid-network", "metadata.name", "lucid-kinds", /not what was reviewed/],
  ];
  for (const [title, name, place, value, finds] of LOOSENED) {
    it(`refuses ${title}`, async () => {
      const policy = await resource("Policy", name);
      assertFinds(admissionPolicies, { ...policy, properties: edit(policy.properties, place, value) }, finds);
    });
  }

  const WIDENED: readonly (readonly [
    title: string,
    policy: string,
    variable: string,
    value: unknown,
    finds: RegExp,
  ])[] = [
    [
      "a member that the ceiling does not list",
      "lucid-members",
      "services0",
      { "ops/stranger": ["fortio/fortio"] },
      /lets ops\/stranger be a member/,
    ],
    [
      "an image that it does not list",
      "lucid-images",
      "services0",
      { "ops/admin-ui": ["busybox"] },
      /images of busybox/,
    ],
    ["another sidecar", "lucid-sidecars", "sidecarImages", ["fortio/fortio"], /images of fortio/],
    ["another start gate", "lucid-sidecars", "startGateImages", ["envoyproxy/envoy"], /images of envoyproxy/],
    [
      "a stranger's certificates",
      "lucid-issued-secrets",
      "issued0",
      { "ops/stranger": ["issuer-ops"] },
      /lets issuer-ops make certificates for ops\/stranger/,
    ],
    [
      "another zone's certificates",
      "lucid-issuing",
      "issued0",
      { "wallet/payout-router": ["issuer-ops"] },
      /lets issuer-ops make certificates for wallet\/payout-router/,
    ],
    ["certificates of a datacenter", "lucid-issuing", "datacenter", "north", /lets issuers name datacenter north/],
    [
      "certificates of infrastructure",
      "lucid-distributed-files",
      "issued0",
      { "mesh/consul": ["issuer-mesh"] },
      /make certificates for mesh\/consul/,
    ],
    [
      "a member without sidecar",
      "lucid-sidecars",
      "infrastructure",
      ["ops/admin-ui"],
      /ops\/admin-ui run without a sidecar/,
    ],
    [
      "a call between planes",
      "lucid-network",
      "calls0",
      { "chain/lucid-blocks": ["wallet/payout-router"] },
      /chain\/lucid-blocks to wallet\/payout-router/,
    ],
    ["an opening to everyone", "lucid-network", "letIn", ["*>wallet/payout-router:15001/TCP"], /open \*>wallet/],
    [
      "a way out to addresses",
      "lucid-network",
      "letOut",
      ["mesh/mesh-controller>10.0.0.0/8:443/TCP"],
      /10\.0\.0\.0\/8/,
    ],
    ["what is no data", "lucid-network", "letOut", 1, /form of its data/],
  ];
  for (const [title, name, data, value, finds] of WIDENED) {
    it(`refuses ${title}`, async () => {
      const policy = await resource("Policy", name);
      const changed = edit(policy.properties, variable(policy, data), JSON.stringify(value));
      const found = findings(admissionPolicies, { ...policy, properties: changed });
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.match(found[0] ?? "", finds);
    });
  }

  it("lets data be what a raised ceiling lists", async () => {
    const policy = await resource("Policy", "lucid-members");
    const changed = edit(policy.properties, variable(policy, "services0"), '{"ops/console":["fortio/fortio"]}');
    const members = { ...LUCID_CEILING.members, ops: ["console"] };
    assertPasses(admissionPolicies, { ...policy, properties: changed }, { ...LUCID_CEILING, members });
  });

  it("refuses code where data should be", async () => {
    const policy = await resource("Policy", "lucid-members");
    for (const code of ["[variables.services0,{}]", "[dyn(variables.services0)]"]) {
      const changed = edit(policy.properties, variable(policy, "services"), code);
      assertFinds(admissionPolicies, { ...policy, properties: changed }, /form of its data/);
    }
  });

  const BINDINGS: readonly (readonly [title: string, path: string, value: Json | undefined, finds: RegExp])[] = [
    ["one that only warns", "spec.validationActions", ["Warn"], /let in, with a warning/],
    ["one that only notes", "spec.validationActions", ["Audit"], /let in, with a warning/],
    ["one without actions", "spec.validationActions", undefined, /let in, with a warning/],
    ["one of another policy", "spec.policyName", "lucid-kinds", /of another policy/],
    ["one that narrows", "spec.matchResources", { namespaceSelector: { matchLabels: { a: "b" } } }, /narrows/],
  ];
  for (const [title, place, value, finds] of BINDINGS) {
    it(`refuses a binding: ${title}`, async () => {
      const binding = await resource("PolicyBinding", "lucid-network");
      assertFinds(admissionPolicies, { ...binding, properties: edit(binding.properties, place, value) }, finds);
    });
  }
});
