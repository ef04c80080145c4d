import assert from "node:assert/strict";
import { jobsMesh } from "../../unit/envoy/jobs-fixture";
import { lucid } from "../../policies/support/planned";
import { pathOf, Refusal } from "./api";
import { Lab, plannedObjects } from "./lab";

const FOREGROUND = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Foreground" };
const FINISHED = { metadata: { finalizers: null } };

const isGone = (error: unknown) => error instanceof Refusal && error.status === 404;

/** Pulumi changes the policies first: then they don't know the services any more whose objects it deletes, and Kubernetes finishes by updates. */
describe("admission of the end of what a document gives up", function () {
  this.timeout(300_000);
  let lab: Lab;

  before(async () => {
    lab = await Lab.start(jobsMesh());
    for (const object of await plannedObjects(jobsMesh())) await lab.apply(object);
    const policies = (await plannedObjects(lucid)).filter(({ kind }) => kind?.startsWith("ValidatingAdmission"));
    for (const policy of policies) await lab.apply(policy);
    await lab.settled(policies);
  });
  after(() => lab.stop());

  it("lets every object be deleted in the foreground, and be gone", async () => {
    const given = (await plannedObjects(jobsMesh())).filter(
      ({ metadata }) => metadata?.namespace?.startsWith("lucid-") === true && metadata.name !== "default-deny",
    );
    for (const kind of [
      "Deployment",
      "Job",
      "CronJob",
      "ServiceAccount",
      "NetworkPolicy",
      "Role",
      "RoleBinding",
      "MeshService",
    ])
      assert.ok(
        given.some((object) => object.kind === kind),
        kind,
      );
    for (const object of given) {
      const path = pathOf(object);
      await lab.ask({ method: "DELETE", path, body: FOREGROUND });
      // What keeps nobody waiting is gone by now.
      await lab
        .ask({ method: "PATCH", path, body: FINISHED, contentType: "application/merge-patch+json" })
        .catch((error: unknown) => assert.ok(isGone(error), `${path}: ${String(error)}`));
      await assert.rejects(lab.ask({ method: "GET", path }), isGone, path);
    }
  });
});
