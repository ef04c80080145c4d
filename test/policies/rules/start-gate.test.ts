import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import { gatesElsewhere } from "../../../policies/rules/gate-targets";
import { sidecarRequired } from "../../../policies/rules/sidecar-required";
import { consul, deployment } from "../fixtures/workloads";
import { edit } from "../support/edit";
import { refusesEach } from "../support/judge";
import type { TestResource } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const ENV = "spec.template.spec.initContainers[1].env";

describe("what a start gate tries", () => {
  const opens = /it would open though nothing is enforced, or never/;
  refusesEach(sidecarRequired, () => deployment(), [
    { title: "no settings", path: ENV, finds: opens },
    { title: "no address", path: `${ENV}[0]`, finds: opens },
    { title: "a name for an address", path: `${ENV}[0].value`, value: "node-resolver", finds: opens },
    { title: "an open port that is none", path: `${ENV}[1].value`, value: "54", finds: opens },
    { title: "a canary where nobody listens", path: `${ENV}[2].value`, value: "8182", finds: opens },
    { title: "an unknown canary", path: `${ENV}[2].value`, value: UNKNOWN, finds: /can't be known/ },
    { title: "a canary from elsewhere", path: `${ENV}[2].valueFrom`, value: {}, finds: /comes from elsewhere/ },
    { title: "no time", path: `${ENV}[3]`, value: { name: "GATE_TIMEOUT_SECONDS", value: "0" }, finds: opens },
    { title: "a setting twice", path: `${ENV}[3]`, value: { name: "GATE_CANARY_PORT", value: "8181" }, finds: /twice/ },
    {
      title: "what its runtime would load",
      path: `${ENV}[3]`,
      value: { name: "NODE_OPTIONS", value: "--require /x" },
      finds: /NODE_OPTIONS, which is none of its settings/,
    },
  ]);

  const planned = ({ type, properties }: TestResource) => ({
    type,
    name: "test",
    urn: type,
    properties: new Field(plainCopy(properties)),
    origins: () => [],
  });
  const target = (clusterIP: string): TestResource => ({
    type: "kubernetes:core/v1:Service",
    properties: { metadata: { name: "node-resolver", namespace: "lucid-mesh" }, spec: { clusterIP } },
  });
  const found = (...resources: readonly TestResource[]) =>
    gatesElsewhere(resources.map(planned), LUCID_CEILING).map(({ path, problem }) => `${path}: ${problem}`);

  it("is the node resolver of the plan, where it has one", () => {
    assert.deepEqual(found(target("10.96.64.53"), deployment(), consul()), []);
    assert.deepEqual(found(deployment()), []);
    assert.match(found(target("10.96.64.99"), deployment()).join(), /the start gate tries `10\.96\.64\.53`/);
    const elsewhere = { ...deployment(), properties: edit(deployment().properties, `${ENV}[0].value`, "10.0.0.1") };
    assert.match(found(target("10.96.64.53"), elsewhere).join(), /`10\.0\.0\.1`, and the node resolver is at/);
  });
});
