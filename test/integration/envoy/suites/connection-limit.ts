import * as assert from "node:assert/strict";
import { services } from "../../../unit/envoy/fixture";
import { withConnectionLimit } from "../../../unit/envoy/traffic-fixture";
import { change } from "../change";
import { BANNER, type MeshLab } from "../mesh-lab";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
const LIMIT = 2;

/** A callee takes so many connections of each zone, and so many TCP connections. */
export function connectionLimit(lab: () => MeshLab): void {
  const limited = () => lab().sidecars.blocks.stat("connection_limit.inbound|http|ops.limited_connections");

  describe("connection limit", () => {
    before(() => change(lab(), withConnectionLimit(lab().mesh, "blocks", LIMIT), ["blocks"]));
    after(() => change(lab(), lab().mesh, ["blocks"]));

    it("closes what is too much, and leaves the other zones' connections alone", async () => {
      /** A connection of a caller of zone ops that is only held. */
      const hold = (waitMs: number) => {
        const { certificate, key } = lab().leaf("console");
        const tls = { serverName: "http.blocks.ops", certificate, key };
        const target = { host: lab().sidecars.blocks.host.address, port: 15001 };
        return lab()
          .stranger.call("exchange", { ...target, text: "", waitMs, tls })
          .then(({ refused }) => refused);
      };
      const before = await limited();
      const held = await Promise.all([1, 2, 3, 4, 5].map(() => hold(1500)));
      const open = held.filter((refused) => refused === undefined).length;
      const closed = (await limited()) - before;
      console.log(`      limit ${LIMIT}, 5 opened: ${open} held, ${closed} closed`);
      assert.deepEqual([open, closed], [LIMIT, 5 - LIMIT]);
      assert.equal(await hold(300), undefined, "there is room again");
      const full = [hold(1500), hold(1500)];
      const other = await lab().host("router").call("request", { host: BLOCKS, port: 80, path: "/any" });
      assert.equal(other.status, 200, "another zone has its own");
      await Promise.all(full);
    });

    it("holds for TCP connections, which share one between the sidecars: more than that wait for their turn", async () => {
      const open = (waitMs: number) =>
        lab().host("router").call("exchange", { host: BLOCKS, port: 8333, text: "", waitMs });
      let ended = false;
      const held = Promise.all([open(3000), open(3000)]).finally(() => (ended = true));
      const connected = () => lab().sidecars.blocks.stat("cluster.application|peer.upstream_cx_active");
      await until("the application has its connections", async () => (await connected()) === LIMIT);
      const waiting = await Promise.all([open(500), open(500)]);
      assert.equal(await connected(), LIMIT);
      assert.equal(ended, false, "the first two are still there");
      const greeted = (await held).filter(({ body }) => body === BANNER).length;
      const silent = waiting.filter(({ body }) => body === "").length;
      console.log(`      limit ${LIMIT}, 4 TCP connections: ${greeted} greeted, ${silent} waiting`);
      assert.deepEqual([greeted, silent], [LIMIT, 2]);
      assert.equal((await open(1000)).body, BANNER, "there is room again");
    });
  });
}
