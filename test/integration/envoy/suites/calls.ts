import * as assert from "node:assert/strict";
import { services } from "../../../unit/envoy/fixture";
import { BANNER, type MeshLab } from "../mesh-lab";
import type { Seen } from "../servers";

const BLOCKS = services.blocks.hostname;

/** Declared calls of every protocol, what the callee learns of the caller, rules on methods and paths, names. */
export function calls(lab: () => MeshLab): void {
  const get = (path: string, method = "GET", headers: Record<string, string> = {}) =>
    lab().host("console").call("request", { host: BLOCKS, port: 80, path, method, headers });

  describe("declared calls", () => {
    it("HTTP: answered, and the callee sees who called", async () => {
      const answer = await get("/height?unit=block");
      assert.equal(answer.status, 200);
      const seen = JSON.parse(answer.body ?? "") as Seen;
      assert.equal(seen.path, "/height?unit=block");
      assert.match(seen.headers["x-forwarded-client-cert"] ?? "", new RegExp(`;URI=${services.console.identity}$`));
    });

    it("HTTP: what the application says of itself and of Envoy is not believed", async () => {
      const answer = await get("/height", "GET", {
        "x-forwarded-client-cert": "By=forged;URI=spiffe://forged",
        x_forwarded_client_cert: "URI=spiffe://forged",
        "x-envoy-internal": "true",
        "x-envoy-max-retries": "50",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-request-id": "kept",
      });
      const { headers } = JSON.parse(answer.body ?? "") as Seen;
      assert.doesNotMatch(JSON.stringify(headers), /forged/);
      assert.deepEqual(
        Object.keys(headers).filter((name) => name.startsWith("x-envoy")),
        [],
      );
      assert.equal(headers["x-request-id"], "kept");
    });

    it("gRPC: answered, and the callee sees who called", async () => {
      const answer = await lab()
        .host("router")
        .call("callGrpc", { target: `${BLOCKS}:81` });
      assert.match(answer.text ?? JSON.stringify(answer), new RegExp(`;URI=${services.router.identity}$`));
    });

    it("WebSocket: upgraded, and bytes flow both ways", async () => {
      const answer = await lab().host("console").call("websocket", { host: BLOCKS, port: 8090, text: "hello" });
      assert.deepEqual(answer, { status: 101, body: "hello" });
    });

    it("TCP: an application that speaks first is heard, and answers", async () => {
      const sent = { host: BLOCKS, port: 8333, text: "hello", waitMs: 500 };
      assert.deepEqual(await lab().host("router").call("exchange", sent), { body: `${BANNER}hello` });
    });
  });

  describe("rules of an edge", () => {
    const allowed = [
      ["GET", "/height"],
      ["HEAD", "/height"],
      ["GET", "/height?any=query"],
      ["GET", "/blocks/7"],
      ["GET", "//blocks///7"],
      ["GET", "/blocks/x/../7"],
      ["POST", "/echo"],
    ] as const;
    for (const [method, path] of allowed) {
      it(`${method} ${path} is allowed`, async () => {
        assert.equal((await get(path, method)).status, 200);
      });
    }

    const refused = [
      ["POST", "/height", 403],
      ["GET", "/echo", 403],
      ["GET", "/", 403],
      ["GET", "/heights", 403],
      ["GET", "/blocks", 403],
      ["GET", "/blocks/../admin", 403],
      ["GET", "/blocks/%2e%2e/admin", 403],
      ["GET", "/blocks/..%2fadmin", 400],
      ["GET", "/blocks/..%5cadmin", 400],
      ["GET", "/blocks/7\\..\\..\\admin", 403],
      ["GET", "/height#/../echo", 400],
    ] as const;
    for (const [method, path, status] of refused) {
      it(`${method} ${path} is answered ${status}`, async () => {
        assert.equal((await get(path, method)).status, status);
      });
    }
  });

  describe("names", () => {
    const console = () => lab().host("console");

    it("a callee's name is answered in both families, at its own loopback address", async () => {
      assert.deepEqual(await console().call("resolveName", { name: BLOCKS, type: "A" }), ["127.64.0.4"]);
      assert.deepEqual(await console().call("resolveName", { name: BLOCKS, type: "AAAA" }), ["::ffff:127.64.0.4"]);
    });

    it("the C library finds it too", async () => {
      const addresses = await console().call("lookup", { name: BLOCKS });
      assert.equal(addresses[0], "127.64.0.4");
    });

    it("no other name exists: not of a service that is no callee, not of the outside", async () => {
      for (const name of ["router.lucid.internal", "example.org", "blocks.service.discovery.lucid.internal"]) {
        assert.equal(await console().call("resolveName", { name, type: "A" }), "ENOTFOUND", name);
      }
    });

    it("and no DNS of the application left the pod", async () => {
      const asked = await lab().resolver.call("askedNames");
      assert.ok(asked.length > 0);
      assert.deepEqual(
        asked.filter((name) => !name.endsWith(".service.discovery.lucid.internal")),
        [],
      );
    });

    it("nothing listens at the address of a service that is no callee", async () => {
      const answer = await console().call("request", { host: services.router.address, port: 80, path: "/" });
      assert.match(answer.refused ?? "answered", /ECONNREFUSED/);
    });
  });
}
