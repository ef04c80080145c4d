import * as assert from "node:assert/strict";
import { services } from "../../../unit/envoy/fixture";
import type { MeshLab } from "../mesh-lab";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
const CLUSTER = "cluster.outbound|blocks|http";
/** In the lab's network, and nobody's. */
const DEAD = "10.255.77.250";

/** What breaks beside a call does not break the call. */
export function resilience(lab: () => MeshLab): void {
  const get = () => lab().host("console").call("request", { host: BLOCKS, port: 80, path: "/height" });
  const stat = (name: string) => lab().sidecars.console.stat(`${CLUSTER}.${name}`);
  const found = (count: number) =>
    until(`${count} instances are known`, async () => (await stat("membership_total")) === count);

  describe("resilience", () => {
    it("an instance that is gone without a word fails no call", async () => {
      const addresses = [DEAD, lab().host("blocks").address];
      await lab().resolver.call("setRecords", {
        records: { ...lab().discovery(), [services.blocks.discoveryName]: addresses },
      });
      await found(2);
      for (let index = 0; index < 30; index++) {
        assert.equal((await get()).status, 200);
      }
      assert.ok((await stat("upstream_rq_retry")) > 0, "some were tried again");
      assert.equal(await stat("outlier_detection.ejections_active"), 1, "and the dead one is left out");
      await lab().resolver.call("setRecords", { records: lab().discovery() });
      await found(1);
    });

    it("connections that reach their age are made anew without a failed call", async () => {
      const { blocks } = lab().sidecars;
      blocks.mountConfig(lab().mesh, (_file, text) =>
        text.replaceAll("max_connection_duration: 45s", "max_connection_duration: 1s"),
      );
      const before = await stat("upstream_cx_total");
      const { statuses, connections } = await lab()
        .host("console")
        .call("requestKeptAlive", { host: BLOCKS, port: 80, path: "/height", everyMs: 5, forMs: 5000 });
      assert.deepEqual([...new Set(statuses)], [200]);
      assert.equal(connections, 1, "the application noticed nothing");
      assert.ok((await stat("upstream_cx_total")) - before >= 3);
      blocks.mountConfig(lab().mesh);
    });

    it("a sidecar starts within seconds without a resolver, and finds its callees when it is back", async () => {
      const { console } = lab().sidecars;
      await lab().resolver.call("stopDns");
      await console.stop();
      const started = Date.now();
      await console.start();
      assert.ok(Date.now() - started < 8000);
      assert.equal((await get()).status, 503);
      await lab().resolver.call("serveDns", { address: lab().resolver.address, port: 53, records: lab().discovery() });
      await until("it calls again", async () => (await get()).status === 200);
    });
  });
}
