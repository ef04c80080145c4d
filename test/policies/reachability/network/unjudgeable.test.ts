import assert from "node:assert/strict";
import { plainCopy } from "../../../../policies/judgement/plain";
import { readCluster } from "../../../../policies/reachability/network";
import { edit } from "../../support/edit";
import type { JsonObject } from "../../support/edit";
import { UNKNOWN, asHandedOver } from "../../support/unknown";
import { findingsOf } from "./objects";

import { CLUSTER, POLICIES, WORKLOADS, block, pod, policy, port, red, rule, server } from "./mutations";

describe("network reachability: what can't be judged", () => {
  it("is nothing of the objects that the mutations start from", () => {
    assert.deepEqual(findingsOf([red, server, policy], CLUSTER), []);
  });

  for (const { title, object = policy, path, value, finds } of [...POLICIES, ...WORKLOADS]) {
    it(`is ${title}`, () => {
      const changed = edit(object, path, value);
      const objects = [red, server, policy].map((one) => (one === object ? changed : one));
      const { cluster, findings } = readCluster(objects, CLUSTER);
      const texts = findings.map((one) => `${one.object}, ${one.path}: ${one.problem}; ${one.mend}`);
      assert.ok(
        texts.some((text) => finds.test(text)),
        JSON.stringify(texts, undefined, 2),
      );
      assert.equal(cluster, undefined, "something is concluded nevertheless");
    });
  }

  const unknowns: readonly (readonly [JsonObject, string])[] = [
    ...["metadata.name", "metadata.namespace", "spec", "spec.podSelector", "spec.podSelector.matchLabels.app"].map(
      (path) => [policy, path] as const,
    ),
    ...[
      "spec.policyTypes",
      "spec.policyTypes[0]",
      "spec.ingress",
      rule,
      `${rule}.from`,
      `${rule}.from[0]`,
      `${rule}.ports`,
    ].map((path) => [policy, path] as const),
    ...[`${rule}.from[0].namespaceSelector`, port, `${port}.port`, `${port}.endPort`, `${port}.protocol`].map(
      (path) => [policy, path] as const,
    ),
    ...[block, `${block}.cidr`, `${block}.except`, `${block}.except[0]`].map((path) => [policy, path] as const),
    ...["spec.template", "spec.template.metadata.labels.app", pod, `${pod}.hostNetwork`, `${pod}.containers`].map(
      (path) => [server, path] as const,
    ),
    ...[`${pod}.containers[0]`, `${pod}.containers[0].ports`, `${pod}.containers[0].ports[0].name`].map(
      (path) => [server, path] as const,
    ),
    ...["metadata.name", "metadata.labels", "metadata.labels.team"].map((path) => [red, path] as const),
  ];
  for (const [object, path] of unknowns) {
    it(`is ${path} of a ${object === server ? "workload" : object === red ? "namespace" : "policy"} that is unknown at preview`, () => {
      const changed = plainCopy(asHandedOver(edit(object, path, UNKNOWN)));
      const objects = [red, server, policy].map((one) => (one === object ? changed : one));
      const { cluster, findings } = readCluster(objects, CLUSTER);
      assert.equal(cluster, undefined);
      assert.ok(
        findings.some((one) => /known/.test(one.problem)),
        JSON.stringify(findings),
      );
    });
  }

  for (const [apiVersion, kind] of [
    ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"],
    ["projectcalico.org/v3", "GlobalNetworkPolicy"],
    ["cilium.io/v2", "CiliumNetworkPolicy"],
    ["v1", "Endpoints"],
    ["apps/v1beta1", "Deployment"],
    ["example.com/v1", "Deployment"],
  ] as const) {
    it(`is a ${apiVersion} ${kind}`, () => {
      const object = { apiVersion, kind, metadata: { name: "x" } };
      assert.match(findingsOf([red, object]).join(), new RegExp(`${kind} x, kind: it isn't known what`));
    });
  }

  it("is a name that two objects have", () => {
    assert.match(findingsOf([red, policy, policy]).join(), /NetworkPolicy red\/server, metadata\.name: two objects/);
    assert.match(findingsOf([red, red]).join(), /Namespace red, metadata\.name: two objects/);
    assert.deepEqual(findingsOf([red, server, policy]), [], "of different kinds");
  });

  it("is all that is wrong, one place an object", () => {
    const objects = [edit(policy, "spec", undefined), edit(server, pod, undefined)];
    assert.equal(findingsOf([red, ...objects]).length, 2);
  });
});
