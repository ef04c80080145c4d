import * as assert from "node:assert/strict";
import type { EdgeRule, Mesh } from "../../../../mesh/model";
import { services } from "../../../unit/envoy/fixture";
import { BANNER, type MeshLab } from "../mesh-lab";
import type { Seen } from "../servers";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
const HTTP2 = { host: BLOCKS, port: 8091 };
const GRPC = { target: `${BLOCKS}:81` };
const WEBSOCKET = { host: BLOCKS, port: 8090 };
const TCP = { host: BLOCKS, port: 8333 };
const ROUNDS = 20;
const MIB = 1024 * 1024;
/** gRPC's status for a call that RBAC refuses. */
const PERMISSION_DENIED = 7;
/** An application that waits for its client's first word, in place of the one with a banner. */
const SILENT_PORT = 8334;

/** What streams, in both directions at once where the protocol can, and bodies of any size; each with the refusal that differs in one thing. */
export function streams(lab: () => MeshLab): void {
  const console = () => lab().host("console");
  const router = () => lab().host("router");

  describe("streams", () => {
    it("HTTP/2: both ways at once, with trailers, and the callee sees who called", async () => {
      const talked = await router().call("talkHttp2", { ...HTTP2, rounds: ROUNDS });
      assert.deepEqual([talked.status, talked.rounds, talked.refused], [200, ROUNDS, undefined]);
      assert.match(talked.headers?.["x-caller"] ?? "", new RegExp(`;URI=${services.router.identity}$`));
      assert.equal(talked.trailers?.["x-bytes"], "50");
    });

    for (const method of ["Up", "Down", "Both"] as const) {
      it(`gRPC: ${method === "Both" ? "both ways" : method === "Up" ? "from the caller" : "to the caller"}`, async () => {
        const talked = await router().call("talkGrpc", { ...GRPC, method, rounds: ROUNDS, everyMs: 5 });
        assert.deepEqual(talked, { rounds: ROUNDS });
      });
    }

    it("WebSocket: both ways", async () => {
      const talked = await console().call("talkWebsocket", { ...WEBSOCKET, rounds: ROUNDS });
      assert.deepEqual(talked, { rounds: ROUNDS, status: 101 });
    });

    it("TCP: the application speaks first; each half ends by itself", async () => {
      const talked = await router().call("talkTcp", { ...TCP, banner: BANNER, rounds: ROUNDS });
      assert.deepEqual(talked, { rounds: ROUNDS, rest: "heard 150\n" });
    });

    it("TCP: the client speaks first", async () => {
      const { blocks } = lab().sidecars;
      await blocks.host.call("serveTcp", { port: SILENT_PORT, banner: "" });
      blocks.mountConfig(lab().mesh, (_file, text) =>
        text.replaceAll("port_value: 8333", `port_value: ${String(SILENT_PORT)}`),
      );
      const first = async () => (await router().call("exchange", { ...TCP, text: "", waitMs: 300 })).body;
      await until("the silent one is there", async () => (await first()) === "");
      const talked = await router().call("talkTcp", { ...TCP, rounds: ROUNDS });
      assert.deepEqual(talked, { rounds: ROUNDS, rest: "heard 150\n" });
      blocks.mountConfig(lab().mesh);
      await until("and the other again", async () => (await first()) === BANNER);
    });

    it("go on past the age of the connection that carries them", async () => {
      const { blocks } = lab().sidecars;
      blocks.mountConfig(lab().mesh, (_file, text) =>
        text.replaceAll(/max_connection_duration: \d+s/g, "max_connection_duration: 1s"),
      );
      const aged = () => blocks.stat("http.inbound|stream|wallet.downstream_cx_max_duration_reached");
      await until("connections reach that age", async () => {
        await router().call("talkHttp2", { ...HTTP2, rounds: 1 });
        return (await aged()) > 0;
      });
      // A stream begun on a connection that is being drained would end with it.
      const drained = ["filter_chains", "listeners"].map((what) => `listener_manager.total_${what}_draining`);
      await until("no older connection is left", async () => {
        const left = await Promise.all(drained.map((stat) => blocks.stat(stat)));
        return left.every((count) => count === 0);
      });
      const before = await aged();
      // Five seconds are what Envoy gives a drained HTTP/2 connection before it takes no new stream: these last longer than both.
      const long = { rounds: ROUNDS, everyMs: 450 };
      const talked = await Promise.all([
        router().call("talkHttp2", { ...HTTP2, ...long }),
        router().call("talkGrpc", { ...GRPC, ...long, method: "Both" }),
        router().call("talkGrpc", { ...GRPC, ...long, method: "Down" }),
        console().call("talkWebsocket", { ...WEBSOCKET, ...long }),
        router().call("talkTcp", { ...TCP, ...long, banner: BANNER }),
      ]);
      assert.deepEqual(
        talked.map(({ rounds }) => rounds),
        talked.map(() => ROUNDS),
        JSON.stringify(talked),
      );
      assert.ok((await aged()) > before);
      blocks.mountConfig(lab().mesh);
    });
  });

  describe("bodies", () => {
    const send = (path: string, size: number, expect = false) =>
      router().call("transfer", { host: BLOCKS, port: 80, path, size, expect });

    it("large ones arrive whole, in both directions", async () => {
      const answer = await send(`/any?size=${String(16 * MIB)}`, 16 * MIB);
      assert.equal(answer.status, 200, answer.refused);
      assert.ok(answer.receivedBytes > 16 * MIB);
      assert.match(answer.body, new RegExp(`"bodySha256":"${answer.sentSha256}"`));
    });

    it("trailers arrive", async () => {
      assert.deepEqual((await send("/any", 10)).trailers, { "x-answered": "whole" });
    });

    it("100 Continue comes from the application", async () => {
      const answer = await send("/any", MIB, true);
      assert.deepEqual([answer.status, answer.continued], [200, true]);
      const seen = JSON.parse(answer.body) as Seen;
      assert.deepEqual([seen.headers.expect, seen.bodySha256], ["100-continue", answer.sentSha256]);
    });

    it("a caller that would be refused is told before it sends its body", async () => {
      const call = { host: BLOCKS, port: 80, path: "/admin", size: MIB, expect: true };
      const answer = await console().call("transfer", call);
      assert.deepEqual([answer.status, answer.continued], [403, false]);
    });
  });

  describe("rules on what streams", () => {
    before(async () => {
      const { blocks } = lab().sidecars;
      blocks.mountConfig(narrowed(lab().mesh));
      await until("they hold", async () => (await router().call("talkHttp2", { ...HTTP2, rounds: 1 })).status === 403);
    });
    after(async () => {
      lab().sidecars.blocks.mountConfig(lab().mesh);
      await until(
        "all is as it was",
        async () => (await router().call("talkHttp2", { ...HTTP2, rounds: 1 })).status === 200,
      );
    });

    it("HTTP/2: by path", async () => {
      assert.equal((await router().call("talkHttp2", { ...HTTP2, path: "/open", rounds: 3 })).rounds, 3);
      assert.equal((await router().call("talkHttp2", { ...HTTP2, path: "/shut", rounds: 3 })).status, 403);
    });

    it("gRPC: by method", async () => {
      assert.deepEqual(await router().call("talkGrpc", { ...GRPC, method: "Both", rounds: 3 }), { rounds: 3 });
      for (const method of ["Up", "Down"] as const) {
        assert.equal((await router().call("talkGrpc", { ...GRPC, method, rounds: 3 })).code, PERMISSION_DENIED, method);
      }
    });

    it("WebSocket: by path", async () => {
      assert.equal((await console().call("talkWebsocket", { ...WEBSOCKET, path: "/feed", rounds: 3 })).rounds, 3);
      assert.equal((await console().call("talkWebsocket", { ...WEBSOCKET, path: "/other", rounds: 3 })).status, 403);
    });
  });
}

/** The same mesh with rules on the edges that stream. */
function narrowed(mesh: Mesh): Mesh {
  const rules: Record<string, readonly EdgeRule[]> = {
    stream: [{ methods: ["POST"], paths: ["/open"] }],
    grpc: [{ methods: ["POST"], paths: ["/fgrpc.PingServer/Both"] }],
    feed: [{ methods: ["GET"], paths: ["/feed"] }],
  };
  const edges = mesh.edges.map((edge) =>
    edge.to === "blocks" ? { ...edge, rules: rules[edge.port] ?? edge.rules } : edge,
  );
  return { ...mesh, edges };
}
