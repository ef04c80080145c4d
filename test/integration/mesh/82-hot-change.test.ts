import assert from "node:assert/strict";
import { exec, podGenerations, podOf } from "../support/cluster";
import { mesh, service } from "../support/document";
import { SYNC_SECONDS, eventually } from "../support/eventually";
import { describeLoad, startLoad, startLoads } from "../support/load";
import { deploy, deployDeclared, written } from "../support/stacks/variation";
import type { WrittenDocument } from "../support/stacks/variation";

const RATE = 200;

/** With the sidecars' retries off nothing hides a failed try. */
function withoutRetries(document: WrittenDocument): void {
  for (const each of document.services) {
    for (const call of each.calls ?? []) call.traffic = { retries: { attempts: 0 } };
  }
}

/** A call more, a call less, and one that is narrowed. */
function changed(document: WrittenDocument): void {
  written(document, "tron-payment").calls = [{ service: "payout-router" }];
  const admin = written(document, "admin-ui");
  admin.calls = (admin.calls ?? [])
    .filter((call) => call.service !== "payout-router")
    .map((call) => (call.service === "lucid-blocks" ? { ...call, ports: ["http"], methods: ["GET"] } : call));
  withoutRetries(document);
  for (const call of admin.calls) call.traffic = { ...(call.traffic as object), timeout: "5s" };
}

/** Whether an application's call succeeds. */
async function calls(from: string, url: string, ...options: readonly string[]): Promise<boolean> {
  return (await exec(await podOf(service(from)), "app", ["fortio", "curl", ...options, url])).code === 0;
}

describe("the document changed under load", function () {
  this.timeout(900_000);
  before(() => deploy({ document: withoutRetries }));
  after(deployDeclared);

  it("fails no request of the calls that stay, restarts nothing, and holds for those that come and go", async () => {
    const blocks = "http://lucid-blocks.lucid.internal/";
    const router = "http://payout-router.lucid.internal/";
    const before = await podGenerations(mesh.services);
    const staying = await startLoads(
      { from: service("admin-ui"), url: blocks, rate: RATE },
      { from: service("admin-ui"), url: blocks, rate: RATE, fresh: true },
      { from: service("payout-router"), url: "http://tron-payment.lucid.internal/", rate: RATE },
    );
    const going = await startLoad({ from: service("admin-ui"), url: router, rate: 20, connections: 1 });
    assert.ok(await calls("admin-ui", router), "before the change the call is allowed");
    assert.ok(await calls("admin-ui", blocks, "-payload", "x"), "and so is a POST");
    assert.ok(!(await calls("tron-payment", router)), "and the other is not");
    try {
      await deploy({ document: changed });
      const started = Date.now();
      const since = () => ((Date.now() - started) / 1000).toFixed(1);
      await eventually("the new call", async () => assert.ok(await calls("tron-payment", router)), SYNC_SECONDS);
      console.log(`      the new call is answered ${since()} s after pulumi up`);
      const refused = async () => assert.ok(!(await calls("admin-ui", router)));
      await eventually("the removed call refused", refused, SYNC_SECONDS);
      console.log(`      the removed call is refused ${since()} s after pulumi up`);
      const narrowed = async () => assert.ok(!(await calls("admin-ui", blocks, "-payload", "x")));
      await eventually("the narrowed call refused", narrowed, SYNC_SECONDS);
      console.log(`      the narrowed call is refused ${since()} s after pulumi up`);
    } finally {
      const gone = await going.stop();
      console.log(`      ${describeLoad("removed: admin-ui -> payout-router, kept alive", gone)}`);
      await staying.assertUnharmed();
      assert.ok(gone.failed > 0, "the removed call was refused to who had called before");
    }
    assert.deepEqual(await podGenerations(mesh.services), before);
  });
});
