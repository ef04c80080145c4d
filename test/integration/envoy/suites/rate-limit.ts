import * as assert from "node:assert/strict";
import type { Mesh } from "../../../../mesh/model";
import { makeEdge, services } from "../../../unit/envoy/fixture";
import { withTraffic } from "../../../unit/envoy/traffic-fixture";
import type { MeshLab } from "../mesh-lab";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
const LIMIT = { requestsPerSecond: 10, burst: 20 };
const LIMITED = "inbound|http|ops.http_local_rate_limit";

/** Each caller has a bucket of its own, and none can reach into another's. */
export function rateLimit(lab: () => MeshLab): void {
  type Caller = "console" | "prometheus";
  const send = (from: Caller, count: number, path = "/height", headers: Record<string, string> = {}) =>
    lab()
      .host(from)
      .call("requestMany", { host: BLOCKS, port: 80, path, headers, count, concurrency: 10 })
      .then(({ outcomes }) => outcomes);
  const counted = (name: string) => lab().sidecars.blocks.stat(`${LIMITED}.${name}`);
  /** Two callers of one zone at one port, so that they share a filter chain. */
  const limited = (): Mesh => {
    const rules = [{ methods: ["GET"], paths: ["/height"] }];
    const { mesh } = lab();
    const both = { ...mesh, edges: [...mesh.edges, makeEdge(services.prometheus, services.blocks, "http", rules)] };
    const chosen = ({ to, port, from }: Mesh["edges"][number]) =>
      to === "blocks" && port === "http" && from !== "router";
    return withTraffic(both, chosen, { rateLimit: LIMIT });
  };
  const settled = () =>
    new Promise((resolve) => setTimeout(resolve, 1000 * (LIMIT.burst / LIMIT.requestsPerSecond) + 200));

  describe("rate limit per caller", () => {
    before(async () => {
      const mesh = limited();
      for (const name of ["blocks", "prometheus"] as const) lab().sidecars[name].mountConfig(mesh);
      // A connection that was there before goes on in the old chain until it is drained, by its next answer.
      await until("the limit is there, for both", async () => {
        const before = await counted("enabled");
        await send("console", 1);
        await send("prometheus", 1);
        return (await counted("enabled")) === before + 2;
      });
      await settled();
    });
    after(() => {
      for (const name of ["blocks", "prometheus"] as const) lab().sidecars[name].mountConfig(lab().mesh);
    });

    it("one caller exhausts its own bucket; another of the same zone is not affected", async () => {
      const started = Date.now();
      const [greedy, modest] = await Promise.all([send("console", 200), send("prometheus", 15)]);
      console.log(`      burst ${LIMIT.burst}, ${LIMIT.requestsPerSecond}/s: console ${JSON.stringify(greedy)}`);
      console.log(`      prometheus meanwhile ${JSON.stringify(modest)}`);
      const passed = greedy["200"] ?? 0;
      const most = LIMIT.burst + (LIMIT.requestsPerSecond * (Date.now() - started)) / 1000;
      assert.ok(passed >= LIMIT.burst && passed <= most, `${passed} of 200 passed, ${most} at most`);
      assert.equal(passed + (greedy["429"] ?? 0), 200);
      assert.deepEqual(modest, { "200": 15 });
    });

    it("has tokens again after a while", async () => {
      await until("a call passes", async () => (await send("console", 1))["200"] === 1, 3000);
    });

    it("the access log says why, and of whom", async () => {
      const refused = () => lab().sidecars.blocks.records.filter((record) => record.status === 429);
      await until("records are written", () => Promise.resolve(refused().length > 0));
      for (const record of refused()) {
        assert.equal(record.caller, services.console.identity);
        assert.equal(record.flags, "RL");
        assert.equal(record.details, "local_rate_limited");
      }
    });

    it("what authorization refuses takes no token", async () => {
      await settled();
      assert.deepEqual(await send("prometheus", 60, "/forbidden"), { "403": 60 });
      assert.deepEqual(await send("prometheus", LIMIT.burst - 1), { "200": LIMIT.burst - 1 });
    });

    it("nothing that a request says chooses the bucket", async () => {
      await settled();
      const forged = {
        caller: services.prometheus.identity,
        "x-forwarded-client-cert": `URI=${services.prometheus.identity}`,
        "x-forwarded-for": "10.9.9.9",
        "x-envoy-internal": "true",
      };
      const outcomes = await send("console", 100, "/height", forged);
      assert.ok((outcomes["429"] ?? 0) > 50, JSON.stringify(outcomes));
      assert.deepEqual(await send("prometheus", 15), { "200": 15 });
    });
  });
}
