import * as assert from "node:assert/strict";
import type { Edge, Mesh } from "../../../../mesh/model";
import { explainRecord } from "../../../../cli/access/record";
import { enforced, placeOf } from "../../../unit/cli/fixture";
import { services } from "../../../unit/envoy/fixture";
import type { MeshLab } from "../mesh-lab";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;

/** Whom the callee's sidecar lets ask what and until when, and what its records say of that. */
export function access(lab: () => MeshLab): void {
  /** Gives the callee a mesh in which one edge is another, and awaits that its listeners are in force. */
  const change = async (from: string, port: string, changes: Partial<Edge> | undefined): Promise<void> => {
    const { blocks } = lab().sidecars;
    const { mesh } = lab();
    const is = (edge: Edge) => edge.from === from && edge.to === "blocks" && edge.port === port;
    const changed: Mesh = {
      ...mesh,
      edges: mesh.edges.flatMap((edge) =>
        !is(edge) ? [edge] : changes === undefined ? [] : [{ ...edge, ...changes }],
      ),
    };
    const loads = () => blocks.stat("listener_manager.lds.update_success");
    const before = await loads();
    blocks.mountConfig(changed);
    await until("the listeners are loaded", async () => (await loads()) > before);
    assert.equal(await blocks.stat("listener_manager.lds.update_rejected"), 0);
    await until("nothing warms", async () => (await blocks.stat("listener_manager.total_listeners_warming")) === 0);
  };
  const recordOf = async (requestId: string): Promise<Record<string, unknown>> => {
    const find = () => lab().sidecars.blocks.records.find((record) => record.requestId === requestId);
    await until(`the record of ${requestId} is written`, () => Promise.resolve(find() !== undefined), 5000);
    return find() ?? assert.fail();
  };
  const get = async (path: string, requestId: string, method = "GET") => {
    const headers = { "x-request-id": requestId };
    return lab().host("console").call("request", { host: BLOCKS, port: 80, path, method, headers });
  };

  describe("the reason in the access log", () => {
    it("an allowed request names its grant", async () => {
      assert.equal((await get("/height", "reason-allowed")).status, 200);
      const { authorization, policy, details } = await recordOf("reason-allowed");
      assert.deepEqual([authorization, policy, details], ["allowed", "console", "via_upstream"]);
    });

    for (const [what, method, path] of [
      ["path", "GET", "/admin"],
      ["method", "POST", "/height"],
    ] as const) {
      it(`another ${what} names no grant, and says which layer refused it`, async () => {
        assert.equal((await get(path, `reason-${what}`, method)).status, 403);
        const { authorization, policy, details } = await recordOf(`reason-${what}`);
        assert.deepEqual([authorization, policy, details], ["denied", null, "rbac_access_denied_matched_policy[none]"]);
      });
    }

    it("a path that can't be judged is told from one that is refused", async () => {
      const id = "reason-escaped";
      const answer = await lab().stranger.call("requestTls", {
        host: lab().host("blocks").address,
        port: 15001,
        serverName: "http.blocks.ops",
        path: "/blocks/..%2fadmin",
        headers: { "x-request-id": id },
        ...lab().leaf("console"),
      });
      assert.equal(answer.status, 400);
      const { authorization, details } = await recordOf(id);
      assert.deepEqual([authorization, details], [null, "path_normalization_failed"]);
    });
  });

  describe("`mesh access explain --record`, given what real sidecars wrote", () => {
    const explained = (record: unknown) => explainRecord(enforced(lab().mesh), placeOf, JSON.stringify(record));
    const refusing = (record: unknown) =>
      (explained(record).now?.layers ?? []).filter(({ allowed }) => !allowed).map(({ layer }) => layer);

    it("tells a refused request from an allowed one, at both ends", async () => {
      await get("/height", "record-allowed");
      assert.equal(explained(await recordOf("record-allowed")).refused, false);
      await get("/admin", "record-refused");
      const record = await recordOf("record-refused");
      assert.match(explained(record).says.join(), /refused by authorization: the sidecar of blocks answered 403/);
      assert.deepEqual(refusing(record), ["authorization"]);
      const caller = () => lab().sidecars.console.records.find(({ requestId }) => requestId === "record-refused");
      await until("the caller wrote one too", () => Promise.resolve(caller() !== undefined), 5000);
      assert.match(explained(caller()).says.join(), /answered 403 at the callee's side/);
    });

    it("tells a connection that TLS refused, and that the document knows no such call", async () => {
      const find = () =>
        lab().sidecars.blocks.records.find(
          ({ kind, claimedCaller, serverName }) =>
            kind === "refused" && claimedCaller === services.prometheus.identity && serverName === "http.blocks.ops",
        );
      await lab().stranger.call("requestTls", {
        host: lab().host("blocks").address,
        port: 15001,
        serverName: "http.blocks.ops",
        path: "/height",
        ...lab().leaf("prometheus"),
      });
      await until("the refusal is written", () => Promise.resolve(find() !== undefined), 5000);
      assert.match(explained(find()).says.join(), /refused by TLS: .*claims to be prometheus, which was not proven/);
      assert.deepEqual(refusing(find()), ["name", "NetworkPolicy", "TLS", "authorization"]);
    });
  });

  describe("gRPC methods", () => {
    const ask = (method: string, service?: string) =>
      lab()
        .host("router")
        .call("callGrpc", { target: `${BLOCKS}:81`, method, service });
    after(() => change("router", "grpc", {}));

    it("one method is allowed, another of the same service refused", async () => {
      await change("router", "grpc", { rules: [{ methods: ["POST"], paths: ["/fgrpc.PingServer/Ping"] }] });
      await until("the other is refused", async () => (await ask("Secret")).code === PERMISSION_DENIED);
      assert.notEqual((await ask("Ping")).text, undefined);
      assert.equal((await ask("Check", "grpc.health.v1.Health")).code, PERMISSION_DENIED, "health is a method as any");
    });

    it("all methods of a service are allowed, another service refused", async () => {
      await change("router", "grpc", { rules: [{ methods: ["POST"], paths: ["/fgrpc.PingServer/*"] }] });
      await until("both are allowed", async () => (await ask("Secret")).text !== undefined);
      assert.notEqual((await ask("Ping")).text, undefined);
      assert.equal((await ask("Ping", "fgrpc.PingServerX")).code, PERMISSION_DENIED);
    });

    it("without rules the application itself answers for methods that it has not", async () => {
      await change("router", "grpc", {});
      await until("it is let in", async () => (await ask("Ping", "fgrpc.PingServerX")).code === UNIMPLEMENTED);
    });
  });

  describe("a grant with an end", () => {
    const inSeconds = (seconds: number) => `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z`;
    const connections = () => lab().sidecars.console.stat("cluster.outbound|blocks|http.upstream_cx_total");
    const loads = () => lab().sidecars.blocks.stat("listener_manager.lds.update_success");

    it("is over to the second, on the connection that stands, with nothing loaded anew; others go on", async () => {
      const end = inSeconds(15);
      assert.equal((await get("/height", "grant-without-end")).status, 200);
      const made = await connections();
      await change("console", "http", { until: end });
      // The connection of the listener before is told to go away with its next answer: what is counted here begins after that.
      await until("a connection is made anew", async () => {
        assert.equal((await get("/height", "grant-anew")).status, 200);
        return (await connections()) > made;
      });
      assert.equal((await get("/height", "grant-before")).status, 200);
      const before = [await connections(), await loads()];
      const kept = { host: BLOCKS, port: 80, everyMs: 20, forMs: Date.parse(end) + 3000 - Date.now() };
      const others = lab()
        .host("router")
        .call("requestKeptAlive", { ...kept, path: "/any" });
      const {
        statuses,
        times,
        connections: sockets,
      } = await lab()
        .host("console")
        .call("requestKeptAlive", { ...kept, path: "/height" });
      assert.equal(sockets, 1);
      assert.deepEqual([await connections(), await loads()], before);
      const last = statuses.lastIndexOf(200);
      const first = statuses.indexOf(403);
      assert.ok(last > 10, `${last} were allowed`);
      assert.equal(first, last + 1, "refused from one request on, and for good");
      assert.deepEqual([...new Set(statuses)], [200, 403]);
      const late = (times[last] ?? 0) - Date.parse(end);
      const refused = (times[first] ?? 0) - Date.parse(end);
      assert.ok(late < 0, `none that was sent after the end was let in, but one ${late} ms after it`);
      assert.ok(refused > -200, `none was refused long before the end, but one ${-refused} ms before it`);
      assert.deepEqual([...new Set((await others).statuses)], [200]);
      console.log(
        `        ${statuses.length} requests on one connection: ${last + 1} allowed, ${statuses.length - first} refused; ` +
          `the last allowed was sent ${-late} ms before the end, the first refused ${refused} ms after it`,
      );
      assert.equal((await get("/height", "grant-after")).status, 403);
      const { policy, details } = await recordOf("grant-after");
      assert.deepEqual([policy, details], [null, "rbac_access_denied_matched_policy[none]"]);
      assert.equal((await recordOf("grant-before")).policy, "console");
      await change("console", "http", {});
      await until("it is allowed again", async () => (await get("/height", "grant-again")).status === 200);
    });

    it("opens no TCP connection any more; one that stands goes on, until the call is taken out", async () => {
      const end = inSeconds(4);
      const talk = { host: BLOCKS, port: 8333, everyMs: 50 };
      const exchange = async () =>
        (await lab().host("router").call("exchange", { host: BLOCKS, port: 8333, text: "x", waitMs: 300 })).body;
      await change("router", "peer", { until: end });
      await until("it is allowed", async () => (await exchange()) !== "");
      const standing = lab()
        .host("router")
        .call("keepTalking", { ...talk, forMs: 90_000 });
      await until("it is over", async () => (await exchange()) === "", 10_000);
      assert.ok(Date.now() >= Date.parse(end));
      const removedAt = Date.now();
      await change("router", "peer", undefined);
      const { heardAt = 0, closedAt } = await standing;
      assert.ok(heardAt > Date.parse(end), "it outlived the end");
      assert.ok(closedAt !== undefined, "and did not outlive the call's removal");
      console.log(`        closed ${closedAt - removedAt} ms after the call was taken out`);
      await change("router", "peer", {});
      await until("it is allowed again", async () => (await exchange()) !== "");
    });
  });
}
