/** The mesh without its controller: nothing that works needs it, and at its return it finds what came and went. */
import assert from "node:assert/strict";
import { WELL_KNOWN, podsAtOnce } from "../../mesh";
import { firing } from "../integration/support/alerts";
import { core, podGenerations, podsOf } from "../integration/support/cluster";
import { mesh, service } from "../integration/support/document";
import { eventually } from "../integration/support/eventually";
import { underLoad } from "../integration/support/load";
import { scaleTo } from "../integration/support/nodes";
import { pulumi } from "../integration/support/pulumi";
import { registeredAsRunning } from "../integration/support/registration";

const MINUTE = 60_000;
const AWAY_MINUTES = 60;
/** The alert waits for two minutes, and Prometheus scrapes and evaluates twice a minute. */
const ALERT_SECONDS = 240;
/** A new leader takes over, looks at all there is, and registers. */
const RETURN_SECONDS = 60;

const controller = service(WELL_KNOWN.controller);
/** One of its pods ends meanwhile, and another comes: none of the loads is its. */
const renewed = service("tron-payment");

describe("the controller, away for an hour", function () {
  this.timeout((AWAY_MINUTES + 20) * MINUTE);

  before(() => registeredAsRunning(mesh.services, RETURN_SECONDS));
  after(() => scaleTo(controller, podsAtOnce(controller)));

  it("stops no call and no pod, and is rung for", async () => {
    const others = mesh.services.filter(({ name }) => name !== controller.name && name !== renewed.name);
    const pods = await podGenerations(others);
    await underLoad(async () => {
      await scaleTo(controller, 0);
      const end = Date.now() + AWAY_MINUTES * MINUTE;
      await eventually("the end of the controller", async () => assert.deepEqual(await podsOf(controller), []), 120);
      await eventually(
        "LucidControllerAway",
        async () => assert.equal((await firing("LucidControllerAway")).length, 1),
        ALERT_SECONDS,
      );
      const [ending] = await podsOf(renewed);
      assert.ok(ending, `no pod of ${renewed.name}`);
      await core.deleteNamespacedPod({ name: ending.name, namespace: renewed.namespace });
      await new Promise((resolve) => setTimeout(resolve, end - Date.now()));
      assert.deepEqual(await podsOf(controller), [], "nobody brought it back");
    });
    assert.deepEqual(await podGenerations(others), pods, "no pod was replaced or restarted");
  });

  it("registers what came and went, once it is back, and leaves Pulumi nothing to do", async () => {
    await scaleTo(controller, podsAtOnce(controller));
    await eventually(
      "the controller",
      async () => assert.equal((await podsOf(controller)).length, podsAtOnce(controller)),
      120,
    );
    await registeredAsRunning(mesh.services, RETURN_SECONDS);
    await eventually(
      "an end of the alert",
      async () => assert.deepEqual(await firing("LucidControllerAway"), []),
      ALERT_SECONDS,
    );
    const { status, output } = await pulumi(
      ...["up", "--yes", "--non-interactive", "--expect-no-changes", "--policy-pack", "policies"],
    );
    assert.equal(status, 0, output);
  });
});
