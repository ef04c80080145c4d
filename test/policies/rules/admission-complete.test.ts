import assert from "node:assert/strict";
import { SEALS } from "../../../policies/admission/seals";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { missingAdmission } from "../../../policies/rules/admission-complete";
import { consul, deployment } from "../fixtures/workloads";
import { edit } from "../support/edit";
import type { TestResource } from "../support/judge";

const GROUP = "kubernetes:admissionregistration.k8s.io/v1";

function planned({ type, properties }: TestResource): StackResource {
  return { type, name: "test", urn: type, properties: new Field(plainCopy(properties)), origins: () => [] };
}

function admission(kept: readonly string[] = ["lucid-wallet"]): TestResource[] {
  const inhabited = { variables: [{ name: "inhabited", expression: JSON.stringify(kept) }] };
  return Object.keys(SEALS).flatMap((name): TestResource[] => [
    {
      type: `${GROUP}:ValidatingAdmissionPolicy`,
      properties: { metadata: { name }, spec: name === "lucid-kept" ? inhabited : {} },
    },
    { type: `${GROUP}:ValidatingAdmissionPolicyBinding`, properties: { metadata: { name } } },
  ]);
}

const found = (resources: readonly TestResource[]) =>
  missingAdmission(resources.map(planned), LUCID_CEILING).map(({ problem }) => problem);

describe("a plan's admission policies", () => {
  it("are all there, each bound, where some are", () => {
    assert.deepEqual(found([...admission(), deployment(), consul()]), []);
    assert.deepEqual(found([deployment(), consul()]), []);
  });

  for (const [index, { type, properties }] of admission().entries()) {
    const { name } = properties.metadata as { name: string };
    it(`are not without ${type.split(":").at(-1) ?? ""} ${name}`, () => {
      const rest = admission().filter((_, other) => other !== index);
      assert.match(found(rest).join(), new RegExp(`the plan lacks \\w+ ${name},`));
    });
  }

  it("keep the default deny of every namespace with pods", () => {
    assert.match(found([...admission([]), deployment()]).join(), /pods run in lucid-wallet, whose default deny/);
    assert.deepEqual(found(admission([])), []);
    const idle = { ...deployment(), properties: edit(deployment().properties, "spec.replicas", 0) };
    assert.deepEqual(found([...admission([]), idle]), []);
  });
});
