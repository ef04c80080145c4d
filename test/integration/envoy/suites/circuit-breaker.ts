import * as assert from "node:assert/strict";
import { services } from "../../../unit/envoy/fixture";
import { withTraffic } from "../../../unit/envoy/traffic-fixture";
import { change } from "../change";
import type { MeshLab } from "../mesh-lab";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
const CLUSTER = "cluster.outbound|blocks|http";
const PORT = 8080;
const MAX_REQUESTS = 5;

/** What is too much for a callee fails at once, and the callee's recovery is noticed; an instance that is back is called again. */
export function circuitBreaker(lab: () => MeshLab): void {
  const stat = (name: string) => lab().sidecars.router.stat(`${CLUSTER}.${name}`);
  const call = () => lab().host("router").call("request", { host: BLOCKS, port: 80, path: "/any" });
  const burst = (count: number) =>
    lab().host("router").call("requestMany", { host: BLOCKS, port: 80, path: "/any", count, concurrency: count });
  const edge = ({ from, port }: { from: string; port: string }) => from === "router" && port === "http";

  describe("circuit breaker and ejection", () => {
    afterEach(async () => {
      await lab().host("blocks").call("setFault", { port: PORT });
      await change(lab(), lab().mesh, ["router"]);
    });

    it("opens when too many requests are under way, and closes when they are answered", async () => {
      const limits = { maxRequests: MAX_REQUESTS, maxPendingRequests: MAX_REQUESTS };
      await change(lab(), withTraffic(lab().mesh, edge, { circuitBreaker: limits }), ["router"]);
      assert.equal((await call()).status, 200);
      await lab()
        .host("blocks")
        .call("setFault", { port: PORT, fault: { delayMs: 3000 } });
      const before = await stat("upstream_rq_active_overflow");
      const sent = burst(30);
      await until("the breaker is open", async () => (await stat("circuit_breakers.default.rq_open")) === 1);
      const { outcomes, durationsMs } = await sent;
      const overflow = (await stat("upstream_rq_active_overflow")) - before;
      const fastest = Math.min(...durationsMs);
      console.log(
        `      ${MAX_REQUESTS} at once, 30 sent: ${JSON.stringify(outcomes)}, overflow ${overflow}, refused after ${fastest} ms`,
      );
      assert.deepEqual(outcomes, { "200": MAX_REQUESTS, "503": 30 - MAX_REQUESTS });
      assert.equal(overflow, 30 - MAX_REQUESTS);
      assert.ok(fastest < 2500, "a refusal waits for nobody");
      assert.equal(await lab().host("blocks").call("requestsSeen", { port: PORT }), MAX_REQUESTS);
      await until("the breaker is closed", async () => (await stat("circuit_breakers.default.rq_open")) === 0);
      await lab().host("blocks").call("setFault", { port: PORT });
      assert.deepEqual((await burst(MAX_REQUESTS)).outcomes, { "200": MAX_REQUESTS });
    });

    it("without a lower limit, the same burst is answered", async () => {
      await lab()
        .host("blocks")
        .call("setFault", { port: PORT, fault: { delayMs: 200 } });
      assert.deepEqual((await burst(30)).outcomes, { "200": 30 });
    });

    it("an instance that fails is left out, and called again once it is back", async () => {
      const { stranger, resolver } = lab();
      const detection = { consecutiveLocalErrors: 1, interval: "1s", baseEjectionTime: "1s", maxEjectionTime: "2s" };
      const mesh = withTraffic(lab().mesh, edge, { outlierDetection: detection });
      const records = {
        ...lab().discovery(),
        [services.blocks.discoveryName]: [lab().host("blocks").address, stranger.address],
      };
      await resolver.call("setRecords", { records });
      await change(lab(), mesh, ["router"]);
      await until("two instances are known", async () => (await stat("membership_total")) === 2);
      // Nothing listens at the second: connections to it are refused.
      await until("it is left out", async () => {
        assert.equal((await call()).status, 200);
        return (await stat("outlier_detection.ejections_active")) === 1;
      });
      const before = await stat("upstream_rq_retry");
      assert.deepEqual((await burst(20)).outcomes, { "200": 20 });
      const retried = (await stat("upstream_rq_retry")) - before;
      const leaf = await lab().forge("chain", services.blocks);
      await stranger.call("serveTls", { address: stranger.address, port: 15001, ...leaf });
      const started = Date.now();
      let answered = 0;
      await until("it is called again", async () => {
        const { status, body } = await call();
        assert.equal(status, 200);
        answered += 1;
        return body === "from the impostor";
      });
      console.log(
        `      left out after 1 failure (20 calls meanwhile, ${retried} retried); called again ${Date.now() - started} ms after it was back, ${answered} calls, 0 failed`,
      );
      assert.equal(await stat("outlier_detection.ejections_active"), 0);
      await resolver.call("setRecords", { records: lab().discovery() });
      await until("it is gone", async () => (await stat("membership_total")) === 1);
      await stranger.call("stopTls", { port: 15001 });
    });
  });
}
