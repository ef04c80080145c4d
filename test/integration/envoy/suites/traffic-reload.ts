import * as assert from "node:assert/strict";
import type { DeclaredTraffic } from "../../../../mesh";
import { services } from "../../../unit/envoy/fixture";
import { withConnectionLimit, withTraffic } from "../../../unit/envoy/traffic-fixture";
import { change } from "../change";
import type { Fault } from "../faults";
import type { MeshLab } from "../mesh-lab";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
const RATE = 200;
const FOR_MS = 25_000;

/** Changed times, tries and limits are live by a change of the files, and no request fails meanwhile. */
export function trafficReload(lab: () => MeshLab): void {
  const edge = ({ from, to, port }: { from: string; to: string; port: string }) =>
    from === "console" && to === "blocks" && port === "http";
  // Nothing is tried again unless a step says so: a failure is one.
  const once: DeclaredTraffic = { retries: { attempts: 0 } };
  const give = (declared: DeclaredTraffic, connections: number) =>
    change(
      lab(),
      withConnectionLimit(withTraffic(lab().mesh, edge, declared), "blocks", connections),
      ["blocks", "console"],
      // What is shown is that a change fails no request, not how fast a busy machine shakes hands: each change makes connections anew.
      (_file, text) => text.replaceAll("connect_timeout: 0.25s", "connect_timeout: 5s"),
    );
  const fault = (value?: Fault) => lab().host("blocks").call("setFault", { port: 8080, fault: value });
  const probe = (path: string) => lab().host("console").call("request", { host: BLOCKS, port: 80, path });

  describe("changed traffic", () => {
    before(() => give(once, 100));
    after(async () => {
      await fault();
      await change(lab(), lab().mesh, ["blocks", "console"]);
    });

    it(`is live within seconds, at ${RATE} requests/s without a failed one and without retries`, async () => {
      const load = lab()
        .host("console")
        .call("steadyLoad", { host: BLOCKS, port: 80, path: "/height", perSecond: RATE, forMs: FOR_MS });
      const started = Date.now();
      const live: string[] = [];
      const note = (what: string, since: number) => live.push(`${what} ${Date.now() - since} ms`);

      let since = Date.now();
      await fault({ path: "/blocks/slow", delayMs: 5000 });
      await give({ ...once, timeout: "3s" }, 100);
      await until("the timeout", async () => (await probe("/blocks/slow")).status === 504);
      note("timeout", since);

      since = Date.now();
      await fault({ path: "/blocks/flaky", status: 503, times: 1 });
      assert.equal((await probe("/blocks/flaky")).status, 503, "not retried yet");
      await give({ retries: { on: ["5xx"] } }, 100);
      await until("the retries", async () => {
        await fault({ path: "/blocks/flaky", status: 503, times: 1 });
        return (await probe("/blocks/flaky")).status === 200;
      });
      note("retries", since);

      since = Date.now();
      await give({ ...once, rateLimit: { requestsPerSecond: 2000 }, circuitBreaker: { maxRequests: 500 } }, 50);
      const counted = () => lab().sidecars.blocks.stat("inbound|http|ops.http_local_rate_limit.enabled");
      await until("the rate limit", async () => (await counted()) > 0);
      note("rate limit", since);

      since = Date.now();
      await give(once, 200);
      // At this load it would count several requests between two looks.
      await until("no rate limit", async () => {
        const before = await counted();
        await probe("/height");
        return (await counted()) === before;
      });
      note("taken back", since);

      const steps = Date.now() - started;
      const outcomes = await load;
      console.log(`      ${JSON.stringify(outcomes)} in ${FOR_MS} ms; live: ${live.join(", ")}`);
      assert.ok(steps < FOR_MS, `the changes took ${steps} ms, longer than the load`);
      assert.deepEqual(Object.keys(outcomes), ["200"]);
      assert.ok((outcomes["200"] ?? 0) > (RATE * FOR_MS) / 1000 / 2);
    });
  });
}
