import assert from "node:assert/strict";
import { textDigest } from "../../../mesh/declarations";
import { Field } from "../../../policies/judgement/field";
import { UNKNOWN, plainCopy } from "../../../policies/judgement/plain";
import type { Plain } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { falseDeclarations } from "../../../policies/rules/declarations";
import { edit } from "../support/edit";
import type { JsonObject } from "../support/edit";
import { plannedResources } from "../support/planned";
import type { PlannedResource } from "../support/recorded-stack";

const NAMESPACE = "lucid-wallet";
const POLICY = `NetworkPolicy.${NAMESPACE}.tron-payment`;
const SETTLED = "ValidatingAdmissionPolicy.lucid-network";
const ACL_POLICY = "AclPolicy.lucid-registrar-wallet";
const ACL_TOKEN = "AclToken.lucid-registrar-wallet";

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: object };
  readonly data?: Readonly<Record<string, string>>;
}

describe("what the controller is told was declared", function () {
  this.timeout(60_000);
  let plan: readonly PlannedResource[];
  before(async () => {
    plan = await plannedResources();
  });

  const inputsOf = (resource: StackResource) => resource.properties.plain as unknown as JsonObject;
  const named = (resource: StackResource) => inputsOf(resource) as unknown as Named;
  const is = (resource: StackResource, kind: string, name: string, namespace?: string) =>
    resource.type.endsWith(`:${kind}`) &&
    named(resource).metadata.name === name &&
    named(resource).metadata.namespace === namespace;
  const exchanged = (
    chosen: (resource: StackResource) => boolean,
    change: (inputs: JsonObject) => JsonObject,
  ): readonly StackResource[] => {
    assert.ok(plan.some(chosen), "nothing of the plan is chosen");
    return plan.map((resource) =>
      chosen(resource) ? { ...resource, properties: new Field(plainCopy(change(inputsOf(resource)))) } : resource,
    );
  };
  const without = (chosen: (resource: StackResource) => boolean) => {
    assert.ok(plan.some(chosen), "nothing of the plan is chosen");
    return plan.filter((resource) => !chosen(resource));
  };
  const found = (resources: readonly StackResource[]) =>
    falseDeclarations(resources).map(({ resource, problem }) => `${nameOf(resource)}: ${problem}`);
  const nameOf = (resource: StackResource) =>
    resource.type.startsWith("consul:") ? resource.name : named(resource).metadata.name;
  const declarationOf = (key: string) => (resource: StackResource) =>
    resource.type.endsWith(":ConfigMap") &&
    /^lucid-declared-\d+$/.test(named(resource).metadata.name) &&
    Object.hasOwn(named(resource).data ?? {}, key);
  /** An entry, and the digest of it, as one who has thought of both would write them. */
  const told = (key: string, change: (entry: JsonObject) => JsonObject): readonly StackResource[] => {
    const where = declarationOf(key);
    const { namespace } = named(plan.find(where) as StackResource).metadata;
    const text = JSON.stringify(
      change(JSON.parse(named(plan.find(where) as StackResource).data?.[key] ?? "") as JsonObject),
    );
    const changed = exchanged(where, (inputs) => edit(inputs, `data["${key}"]`, text));
    return changed.map((resource) =>
      is(resource, "ConfigMap", "lucid-declared-done", namespace)
        ? {
            ...resource,
            properties: new Field(plainCopy(edit(inputsOf(resource), `data["${key}"]`, textDigest(text)))),
          }
        : resource,
    );
  };

  it("is what Lucid's plan makes", () => {
    assert.deepEqual(found(plan), []);
  });

  it("is nothing where nothing is declared", () => {
    assert.deepEqual(found(without((resource) => resource.name.startsWith("declared"))), []);
  });

  for (const [title, key, path, value] of [
    ["a policy that lets everybody in", POLICY, "fields.spec.ingress", [{}]],
    ["a policy for other pods", POLICY, "fields.spec.podSelector", { matchLabels: { app: "other" } }],
    ["a policy without a direction", POLICY, "fields.spec.policyTypes", ["Ingress"]],
    ["a policy with anything in it", POLICY, "fields.spec.egress", { $any: true }],
    ["a policy that is left open", POLICY, "fields.spec", { $any: true }],
    ["a policy without its content", POLICY, "fields", {}],
    ["a policy's labels", POLICY, 'labels["lucid.internal/zone"]', "ops"],
    ["another policy's name", POLICY, "name", "payout-router"],
    ["another namespace's policy", POLICY, "namespace", "lucid-ops"],
    ["an admission policy that warns only", SETTLED, "fields.spec.failurePolicy", "Ignore"],
    ["an admission policy without its tests", SETTLED, "fields.spec.validations", []],
    ["an admission policy with anything in it", SETTLED, "fields.spec.validations", { $any: true }],
    ["another image", `Deployment.${NAMESPACE}.tron-payment`, "fields.spec.template.spec.containers[0].image", "x:1"],
    [
      "a file of another digest",
      `ConfigMap.${NAMESPACE}.tron-payment-envoy`,
      "fields.data",
      { "listeners.yaml": { $digest: "0" } },
    ],
    ["a file's text itself", `ConfigMap.${NAMESPACE}.tron-payment-envoy`, 'fields.data["listeners.yaml"]', "{}"],
    ["a role with more rights", "Role.lucid-wallet.lucid-drift-observer", "fields.rules[0].verbs", ["*"]],
    ["wider rules at Consul", ACL_POLICY, "fields.rules", 'service_prefix "" {\n  policy = "write"\n}\n'],
    ["rules at Consul left open", ACL_POLICY, "fields.rules", { $any: true }],
    ["another policy of a token of Consul's", ACL_TOKEN, "fields.policies[0]", "lucid-snapshots"],
    ["one more policy of a token of Consul's", ACL_TOKEN, "fields.policies[1]", "global-management"],
    ["a token of Consul's with a role", ACL_TOKEN, "fields.roles", ["wide"]],
  ] as const) {
    it(`is not ${title}`, () => {
      const [finding, ...others] = found(told(key, (entry) => edit(entry, path, value as never)));
      assert.match(
        finding ?? "",
        new RegExp(`^lucid-declared-0: declares another ${key.replaceAll(".", "\\.")} than the plan`),
      );
      assert.deepEqual(others, []);
    });
  }

  it("is not an object that the plan doesn't make", () => {
    const gone = found(without((resource) => is(resource, "NetworkPolicy", "tron-payment", NAMESPACE)));
    assert.deepEqual(gone, [`lucid-declared-0: declares ${POLICY}, which the plan does not make`]);
  });

  it("is not a token of Consul's that the plan doesn't make, or makes under another name", () => {
    const token = (resource: StackResource) => resource.name === "consul-registrar-wallet-token";
    const never = `lucid-declared-0: declares ${ACL_TOKEN}, which the plan does not make`;
    assert.deepEqual(found(without(token)), [never]);
    const renamed = exchanged(token, (inputs) => edit(inputs, "description", "lucid-others: registers"));
    assert.deepEqual(found(renamed), [
      never,
      "consul-registrar-wallet-token: no declaration tells of it, so the controller takes it for another's",
    ]);
  });

  for (const key of [POLICY, SETTLED, ACL_POLICY, ACL_TOKEN, `ConfigMap.${NAMESPACE}.tron-payment-envoy`]) {
    it(`is whole: ${key} is in it`, () => {
      const silent = found(exchanged(declarationOf(key), (inputs) => edit(inputs, `data["${key}"]`, undefined)));
      assert.equal(silent.length, 1);
      assert.match(silent.join(), /no declaration tells of it/);
    });
  }

  it("ends with the digest of each entry", () => {
    for (const value of ["0".repeat(32), undefined]) {
      const wrong = exchanged(
        (resource) => is(resource, "ConfigMap", "lucid-declared-done", NAMESPACE),
        (inputs) => edit(inputs, `data["${POLICY}"]`, value),
      );
      assert.match(
        found(wrong).join(),
        new RegExp(`^lucid-declared-done: ${POLICY.replaceAll(".", "\\.")} counts as being changed`),
      );
    }
  });

  for (const name of ["lucid-declared-done", "lucid-declared-trusted"]) {
    it(`is never whole without ${name}`, () => {
      assert.match(
        found(without((resource) => is(resource, "ConfigMap", name, NAMESPACE))).join("\n"),
        /lucid-declared-0: what is declared here is never whole: lucid-wallet has no declaration of/,
      );
    });
    it(`is read under its name alone: ${name}`, () => {
      const chosen = (resource: StackResource) => is(resource, "ConfigMap", name, NAMESPACE);
      const renamed = exchanged(chosen, (inputs) => edit(inputs, "metadata.name", `${name}-0`));
      assert.match(found(renamed).join("\n"), /name and label of a declaration don't go together/);
    });
  }

  it("is told of once, and where it is looked for", () => {
    const entry = named(plan.find(declarationOf(POLICY)) as StackResource).data?.[POLICY] ?? "";
    const twice = exchanged(
      (resource) => is(resource, "ConfigMap", "lucid-declared-0", "lucid-ops"),
      (inputs) => edit(inputs, `data["${POLICY}"]`, entry),
    );
    assert.match(found(twice).join("\n"), /tron-payment is declared twice/);
    const moved = exchanged(declarationOf(POLICY), (inputs) => edit(inputs, "metadata.namespace", "lucid-ops"));
    assert.match(found(moved).join("\n"), /tron-payment is declared where nobody looks for it/);
  });

  it("tells of the file by which a zone is trusted by its digest, once that is known", () => {
    const chosen = (resource: StackResource) => is(resource, "ConfigMap", "lucid-declared-trusted", NAMESPACE);
    const annotation = 'metadata.annotations["lucid.internal/trust-mesh-digest"]';
    const other = found(exchanged(chosen, (inputs) => edit(inputs, annotation, "0".repeat(32))));
    assert.match(other.join("\n"), /declares another ConfigMap\.lucid-wallet\.tron-payment-trust than the plan makes/);
    const ended = (resource: StackResource) => is(resource, "ConfigMap", "lucid-declared-done", NAMESPACE);
    const unknown = plan.map((resource) =>
      chosen(resource) || ended(resource)
        ? { ...resource, properties: new Field(withUnknown(inputsOf(resource))) }
        : resource,
    );
    assert.deepEqual(found(unknown), []);
  });

  for (const name of ["lucid-declared-done", "lucid-declared-trusted"]) {
    it(`tells of it, and of its end, alike: ${name}`, () => {
      const chosen = (resource: StackResource) => is(resource, "ConfigMap", name, NAMESPACE);
      const annotation = 'metadata.annotations["lucid.internal/trust-edge-digest"]';
      for (const value of [undefined, "0".repeat(32)]) {
        const other = found(exchanged(chosen, (inputs) => edit(inputs, annotation, value)));
        assert.match(other.join("\n"), /lucid-declared-done: whom sidecars trust counts as being changed/);
      }
    });
  }

  it("tells of every zone that is trusted", () => {
    const chosen = (resource: StackResource) =>
      is(resource, "ConfigMap", "lucid-declared-trusted", NAMESPACE) ||
      is(resource, "ConfigMap", "lucid-declared-done", NAMESPACE);
    const silent = exchanged(chosen, (inputs) => edit(inputs, "metadata.annotations", {}));
    assert.match(found(silent).join("\n"), /declares another ConfigMap\.lucid-wallet\.tron-payment-trust/);
  });

  function withUnknown(inputs: JsonObject): Plain {
    const { metadata, ...rest } = plainCopy(inputs) as { readonly [key: string]: Plain };
    return { ...rest, metadata: { ...(metadata as object), annotations: UNKNOWN } };
  }
});
