import assert from "node:assert/strict";
import { core, podsOf } from "../support/cluster";
import { mesh } from "../support/document";

describe("the start gate", () => {
  for (const gated of mesh.services) {
    it(`${gated.name}: its application started after its NetworkPolicy was seen to hold`, async () => {
      for (const pod of await podsOf(gated)) {
        const { status } = await core.readNamespacedPod(pod);
        const gate = status?.initContainerStatuses?.find(({ name }) => name === "start-gate")?.state?.terminated;
        assert.equal(gate?.exitCode, 0);
        const started = status?.containerStatuses?.map(({ state }) => state?.running?.startedAt);
        for (const at of started ?? [])
          assert.ok(at && gate.finishedAt && at >= gate.finishedAt, `${String(at)} before ${String(gate.finishedAt)}`);
      }
    });
  }
});
