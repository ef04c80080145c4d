import * as assert from "node:assert/strict";
import type { DeclaredTraffic } from "../../../../mesh";
import { services } from "../../../unit/envoy/fixture";
import { withTraffic } from "../../../unit/envoy/traffic-fixture";
import { change } from "../change";
import type { Fault } from "../faults";
import type { MeshLab } from "../mesh-lab";

const BLOCKS = services.blocks.hostname;
const CLUSTER = "cluster.outbound|blocks|http";
const PORT = 8080;

/** What is sent again, how often, and how long a call waits. */
export function retries(lab: () => MeshLab): void {
  const edge = ({ from, to, port }: { from: string; to: string; port: string }) =>
    from === "router" && to === "blocks" && ["http", "grpc"].includes(port);
  const declare = (declared: DeclaredTraffic) => change(lab(), withTraffic(lab().mesh, edge, declared), ["router"]);
  const fault = (value?: Fault, port = PORT) => lab().host("blocks").call("setFault", { port, fault: value });
  const seen = () => lab().host("blocks").call("requestsSeen", { port: PORT });
  const send = (method: string, count = 1, concurrency = 1) =>
    lab().host("router").call("requestMany", { host: BLOCKS, port: 80, path: "/any", method, count, concurrency });

  describe("retries and timeouts", () => {
    after(async () => {
      await fault();
      await fault(undefined, 8079);
      await change(lab(), lab().mesh, ["router"]);
    });

    it("an answer 503 is asked for again by GET, and never by POST", async () => {
      await declare({ retries: { on: ["5xx"] } });
      for (const [method, status, arrived] of [
        ["GET", "200", 2],
        ["PUT", "200", 2],
        ["POST", "503", 1],
      ] as const) {
        await fault({ status: 503, times: 1 });
        assert.deepEqual((await send(method)).outcomes, { [status]: 1 }, method);
        assert.equal(await seen(), arrived, method);
      }
    });

    it("by default no answer is asked for again", async () => {
      await change(lab(), lab().mesh, ["router"]);
      await fault({ status: 503, times: 1 });
      assert.deepEqual((await send("GET")).outcomes, { "503": 1 });
      assert.equal(await seen(), 1);
    });

    it("POST is sent again where every request is said to be idempotent", async () => {
      await declare({ retries: { on: ["5xx"], idempotent: true } });
      await fault({ status: 503, times: 1 });
      assert.deepEqual((await send("POST")).outcomes, { "200": 1 });
      assert.equal(await seen(), 2);
    });

    it("under a failing callee the budget holds: its load grows by a quarter, not fourfold", async () => {
      const sent = 600;
      const loadWith = async (budget: { percent: number; minConcurrency: number }) => {
        await declare({
          retries: { on: ["5xx"], attempts: 3, backoff: { base: "5ms", max: "10ms" }, budget },
          outlierDetection: { consecutiveGatewayErrors: 0 },
        });
        await fault({ status: 503, delayMs: 100 });
        const before = await lab().sidecars.router.stat(`${CLUSTER}.upstream_rq_retry_overflow`);
        assert.deepEqual((await send("GET", sent, 40)).outcomes, { "503": sent });
        const overflow = (await lab().sidecars.router.stat(`${CLUSTER}.upstream_rq_retry_overflow`)) - before;
        const ratio = (await seen()) / sent;
        console.log(
          `      budget ${budget.percent} %, at least ${budget.minConcurrency}: ${ratio.toFixed(2)} requests for one, ${overflow} retries refused`,
        );
        return ratio;
      };
      const held = await loadWith({ percent: 20, minConcurrency: 3 });
      assert.ok(held > 1 && held < 1.4, String(held));
      assert.ok((await loadWith({ percent: 100, minConcurrency: 1000 })) > 3.5, "without a budget it is fourfold");
    });

    it("a call ends when its time is over, and the callee's answer is not waited for", async () => {
      await declare({ timeout: "300ms" });
      await fault({ delayMs: 4000 });
      const { outcomes, durationsMs } = await send("GET");
      console.log(
        `      timeout 300 ms, answer after 4000 ms: ${JSON.stringify(outcomes)} after ${durationsMs.join()} ms`,
      );
      assert.deepEqual(outcomes, { "504": 1 });
      assert.ok(Math.min(...durationsMs) >= 290 && Math.max(...durationsMs) < 3500, durationsMs.join());
      await change(lab(), lab().mesh, ["router"]);
      assert.deepEqual((await send("GET")).outcomes, { "200": 1 });
    });

    it("a try that takes too long is followed by another", async () => {
      await declare({ timeout: "10s", retries: { on: ["5xx"], perTryTimeout: "1s" } });
      await fault({ delayMs: 6000, times: 1 });
      const { outcomes, durationsMs } = await send("GET");
      assert.deepEqual(outcomes, { "200": 1 });
      assert.ok(Math.max(...durationsMs) < 5500, durationsMs.join());
      assert.ok((await seen()) >= 2);
    });

    it("a gRPC call has its caller's deadline, and the edge's where that is shorter", async () => {
      const call = () =>
        lab()
          .host("router")
          .call("callGrpc", { target: `${BLOCKS}:81` });
      await fault({ delayMs: 1500 }, 8079);
      await declare({ timeout: "300ms" });
      assert.equal((await call()).code, 4, "DEADLINE_EXCEEDED");
      await change(lab(), lab().mesh, ["router"]);
      assert.notEqual((await call()).text, undefined, "its caller gives it five seconds");
    });
  });
}
