import assert from "node:assert/strict";
import { edit } from "../../policies/support/edit";
import type { JsonObject } from "../../policies/support/edit";
import { assertRefused, Lab, planned, plannedObjects } from "./lab";
import { VIOLATIONS } from "./violations";

/** What is changed of an object that is there: refused, where the mesh's document doesn't say it. */
describe("admission of changes", function () {
  this.timeout(300_000);
  let lab: Lab;
  before(async () => {
    lab = await Lab.start();
    for (const object of await plannedObjects()) await lab.apply(object);
  });
  after(() => lab.stop());

  for (const { title, of, path, refused, policy, says, ...violation } of VIOLATIONS) {
    it(`refuses ${title}`, async () => {
      const object = (await planned(...of)) as JsonObject;
      const allowed = "allowed" in violation ? edit(object, path, violation.allowed) : object;
      await assertRefused(lab.apply(edit(object, path, refused)), policy, says);
      await lab.apply(allowed);
      await lab.apply(object);
    });
  }

  it("lets a dry run pass, by which Pulumi previews what is allowed only after it", async () => {
    const object = edit((await planned("Service", "lucid-mesh", "consul")) as JsonObject, "spec.type", "NodePort");
    const tried = (await lab.apply(object, { dryRun: true })) as { spec: { type: string } };
    assert.equal(tried.spec.type, "NodePort");
    await assertRefused(lab.apply(object), "lucid-services", /NodePort/);
  });
});
