import assert from "node:assert/strict";
import { GRACE_SECONDS, edgesFrom } from "../../../mesh";
import { apps, mergePatch, podsOf } from "../support/cluster";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { startLoads } from "../support/load";
import { stopRetries, restoreSidecar } from "../support/opened-sidecar";

const caller = service("payout-router");
const callee = service("tron-payment");
const RATE = 200;

/** Counted by the caller's application, with the sidecar's own retries off: one request that is lost in a rolling update is one too many. */
describe("a rolling update under load", function () {
  this.timeout(600_000);

  before(async () => {
    assert.ok(edgesFrom(mesh, caller).some(({ to }) => to === callee.name));
    await stopRetries(caller);
  });
  after(() => restoreSidecar(caller));

  it(`loses none of ${String(RATE)} requests a second, over kept-alive connections and over fresh ones`, async () => {
    const before = (await podsOf(callee)).map(({ name }) => name);
    const url = `http://${callee.hostname}/debug`;
    const loads = await startLoads(
      { from: caller, url, rate: RATE, connections: 8 },
      { from: caller, url, rate: RATE, connections: 8, fresh: true },
    );
    try {
      const annotations = { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() };
      await apps.patchNamespacedDeployment(
        // What `kubectl rollout restart` does.
        { name: callee.name, namespace: callee.namespace, body: { spec: { template: { metadata: { annotations } } } } },
        mergePatch,
      );
      const after = await eventually(
        "the new pods alone",
        async () => {
          const names = (await podsOf(callee)).map(({ name }) => name);
          assert.ok(names.length > 0 && !names.some((name) => before.includes(name)), names.join());
          return names;
        },
        90,
      );
      console.log(`      ${before.join()} to ${after.join()}`);
      // Until the last of the old pods is gone for good.
      await new Promise((resolve) => setTimeout(resolve, (GRACE_SECONDS + 5) * 1000));
    } finally {
      await loads.assertUnharmed();
    }
  });
});
