import * as assert from "node:assert/strict";
import { DRAIN_SECONDS } from "../../../../envoy";
import { services } from "../../../unit/envoy/fixture";
import type { LoadReport } from "../load";
import { BANNER, type MeshLab } from "../mesh-lab";
import { until } from "../sidecar";
import { CHANGES, DRAINING_CHANGES, status, without, type Change } from "./changes";

const BLOCKS = services.blocks.hostname;
/** Requests a second of the steady load: half on kept-alive connections, half on fresh ones. */
const RATE = 240;
/** What a change is given to take effect before the next one comes. */
const SETTLE_MS = 2500;
/** Longer than a drained connection lives, so that its end is under load too. */
const DRAIN_MS = (DRAIN_SECONDS + 3) * 1000;

/** A request that is not answered by then has failed; before, the machine may just be busy. */
const PATIENCE_MS = 30_000;
/** Words of a stream, one every half second: it lasts longer than the first changes and a drain after them. */
const STREAM_ROUNDS = 90;

/** Changes of everything that is read live, under a steady load with the retries off: not one request of an edge that stays fails. */
export function hotChange(lab: () => MeshLab): void {
  describe("hot change under load", () => {
    it(`fails no request, at ${String(RATE)} a second`, async function () {
      this.timeout(180_000);
      const { console: caller } = lab().sidecars;
      const plan = { host: BLOCKS, port: 80, keptAlive: RATE / 2, fresh: RATE / 2, timeoutMs: PATIENCE_MS };
      await caller.host.call("startLoad", { name: "quick", path: "/height", ...plan });
      // Nearly as slow as a call may be.
      const slow = { path: "/height?delayMs=12000", keptAlive: 1, fresh: 1 };
      await caller.host.call("startLoad", { ...plan, name: "slow", ...slow });
      const made: { at: number; what: string }[] = [];
      const change = async ({ what, make, effect }: Change) => {
        made.push({ at: Date.now(), what });
        await make(lab());
        await until(`${what}: in effect`, () => effect(lab()));
        await pause(SETTLE_MS);
      };
      const words = { host: BLOCKS, rounds: STREAM_ROUNDS, everyMs: 500 };
      const streams = [
        caller.host.call("talkWebsocket", { ...words, port: 8090 }),
        lab()
          .host("router")
          .call("talkTcp", { ...words, port: 8333, banner: BANNER }),
      ];
      for (const one of CHANGES) {
        await change(one);
      }
      for (const stream of streams) {
        const { rounds, refused } = await stream;
        assert.deepEqual([rounds, refused], [STREAM_ROUNDS, undefined], "a stream went on");
      }
      for (const one of DRAINING_CHANGES) {
        await change(one);
      }
      await pause(DRAIN_MS);
      const reports = [await caller.host.call("stopLoad", { name: "quick" })];
      reports.push(await caller.host.call("stopLoad", { name: "slow" }));
      for (const [index, report] of reports.entries()) {
        print(index === 0 ? "quick requests" : "requests of 12 s", report);
        assert.deepEqual(failuresByChange(report, made), {});
      }
      const [quick] = reports;
      assert.ok(quick !== undefined && quick.requestsPerSecond >= 200, "the load was what it should be");
      for (const name of ["console", "blocks"] as const) {
        const rejected = await Promise.all(REJECTIONS.map((stat) => lab().sidecars[name].stat(stat)));
        assert.deepEqual(rejected, [0, 0], `${name} rejected nothing`);
      }
    });

    it("refuses a caller that was taken out, on its kept-alive connections too", async function () {
      this.timeout(60_000);
      const { console: caller, blocks } = lab().sidecars;
      const rate = { keptAlive: RATE / 6, fresh: RATE / 6, timeoutMs: PATIENCE_MS };
      const plan = { name: "removed", host: BLOCKS, port: 80, path: "/height", ...rate };
      const unconcerned = { ...plan, name: "other", path: "/any" };
      await caller.host.call("startLoad", plan);
      await lab().host("router").call("startLoad", unconcerned);
      await pause(1000);
      const swapped = Date.now();
      blocks.mountConfig(without(lab().mesh, ({ from, port }) => from === "console" && port === "http"));
      await pause(12_000);
      const removed = await caller.host.call("stopLoad", { name: "removed" });
      const other = await lab().host("router").call("stopLoad", { name: "other" });
      const seconds = (removed.lastAnswerAt - swapped) / 1000;
      console.log(`      a removed caller was answered for ${seconds.toFixed(2)} s more`);
      assert.ok(removed.answered > 0);
      assert.ok(seconds < 10, "refused within ten seconds of the swap, on a busy machine too");
      assert.deepEqual([...new Set(removed.failures.map(({ reason }) => reason))], ["503"]);
      assert.deepEqual(new Set(removed.failures.map(({ connection }) => connection)), new Set(["kept alive", "fresh"]));
      print("requests of another caller", other);
      assert.deepEqual(other.failures, []);
      blocks.mountConfig(lab().mesh);
    });

    it("lets calls under way end when their edge is taken away, ends its streams, and touches no other's", async function () {
      this.timeout(120_000);
      const { console: caller, blocks } = lab().sidecars;
      const stream = { host: BLOCKS, everyMs: 500 };
      const leaving = caller.host.call("talkWebsocket", { ...stream, port: 8090, rounds: 200 });
      const staying = lab()
        .host("router")
        .call("talkTcp", { ...stream, port: 8333, banner: BANNER, rounds: (2 * DRAIN_MS) / 1000 });
      const plan = { name: "leaving", host: BLOCKS, port: 8090, path: "/feed?delayMs=12000", timeoutMs: PATIENCE_MS };
      await caller.host.call("startLoad", { ...plan, keptAlive: 10, fresh: 10 });
      await pause(1000);
      const underWay = caller.host.call("stopLoad", { name: "leaving" });
      const swapped = Date.now();
      const mesh = without(lab().mesh, ({ from, port }) => from === "console" && port === "feed");
      blocks.mountConfig(mesh);
      caller.mountConfig(mesh);
      const again = () => status(lab(), "console", BLOCKS, 8090, "/feed");
      await until("it can't be called anew", async () => (await again()) === undefined);
      const report = await underWay;
      print("requests under way on the removed edge", report);
      assert.ok(report.sent >= 15);
      assert.deepEqual(report.failures, []);
      const { refused, rounds } = await leaving;
      const seconds = (Date.now() - swapped) / 1000;
      console.log(`      a stream of the removed edge went on for ${seconds.toFixed(1)} s (${String(rounds)} rounds)`);
      assert.notEqual(refused, undefined);
      assert.ok(seconds < DRAIN_SECONDS + 5);
      assert.deepEqual(await staying, {
        rounds: (2 * DRAIN_MS) / 1000,
        rest: `heard ${String(spoken((2 * DRAIN_MS) / 1000))}\n`,
      });
    });
  });
}

/** Bytes of so many words of a conversation. */
function spoken(rounds: number): number {
  return Array.from({ length: rounds }, (_, index) => `word ${String(index)}\n`.length).reduce((a, b) => a + b, 0);
}

const REJECTIONS = ["listener_manager.lds.update_rejected", "cluster_manager.cds.update_rejected"] as const;

/** How many requests failed after each change, and why. */
function failuresByChange(report: LoadReport, made: readonly { at: number; what: string }[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { at, connection, reason } of report.failures) {
    const last = made.findLast((change) => change.at <= at);
    const key = `${last?.what ?? "before any change"} (+${((at - (last?.at ?? at)) / 1000).toFixed(1)} s): ${reason}, ${connection}`;
    found[key] = (found[key] ?? 0) + 1;
  }
  return found;
}

function print(
  what: string,
  { sent, answered, requestsPerSecond, failures, keptAliveConnections, slowestMs }: LoadReport,
) {
  console.log(
    `      ${what}: ${String(sent)} sent (${String(requestsPerSecond)} a second, ${String(keptAliveConnections)} kept-alive connections), ` +
      `${String(answered)} answered, ${String(failures.length)} failed, the slowest in ${String(slowestMs)} ms`,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
