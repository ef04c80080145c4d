import * as assert from "node:assert/strict";
import { services } from "../../../unit/envoy/fixture";
import type { MeshLab } from "../mesh-lab";
import { until } from "../sidecar";

/** What a call leaves behind: a record, spans, numbers. */
export function telemetry(lab: () => MeshLab): void {
  describe("telemetry of a call", () => {
    it("one access record at the callee, with the caller's identity and without the query", async () => {
      const id = "record-of-one-call";
      const host = services.blocks.hostname;
      const headers = { "x-request-id": id };
      await lab().host("console").call("request", { host, port: 80, path: "/height?token=secret", headers });
      const records = () => lab().sidecars.blocks.records.filter((record) => record.requestId === id);
      await until("the record is written", () => Promise.resolve(records().length > 0), 5000);
      const [record] = records();
      assert.equal(records().length, 1);
      assert.equal(record?.caller, services.console.identity);
      assert.deepEqual(
        [record.kind, record.service, record.port, record.method, record.path, record.status, record.instance],
        ["call", "blocks", "http", "GET", "/height", 200, "blocks-0"],
      );
      assert.doesNotMatch(JSON.stringify(record), /secret/);
    });

    it("a refused call is recorded as well, at both ends", async () => {
      const id = "record-of-a-refusal";
      const headers = { "x-request-id": id };
      await lab()
        .host("console")
        .call("request", { host: services.blocks.hostname, port: 80, path: "/admin", headers });
      for (const name of ["blocks", "console"] as const) {
        const record = () => lab().sidecars[name].records.find((candidate) => candidate.requestId === id);
        await until(`${name} recorded it`, () => Promise.resolve(record() !== undefined), 5000);
        assert.equal(record()?.status, 403);
      }
    });

    it("two spans of one trace: the caller's over the callee's, under the application's own", async () => {
      const trace = "0af7651916cd43dd8448eb211c80319c";
      const parent = "b7ad6b7169203331";
      const headers = { traceparent: `00-${trace}-${parent}-01` };
      await lab()
        .host("console")
        .call("request", { host: services.blocks.hostname, port: 80, path: "/height", headers });
      const spans = async () =>
        (await lab().host("jaeger").call("collectedSpans")).filter((span) => span.traceId === trace);
      await until("both spans are collected", async () => (await spans()).length === 2, 15_000);
      const collected = await spans();
      const client = collected.find((span) => span.service === "console");
      const server = collected.find((span) => span.service === "blocks");
      assert.equal(client?.parentSpanId, parent);
      assert.equal(server?.parentSpanId, client.spanId);
      assert.deepEqual([client.name, client.kind, server.name, server.kind], ["call blocks/http", 3, "serve http", 2]);
      assert.equal(server.attributes["lucid.caller"], services.console.identity);
      assert.equal(server.attributes["lucid.zone"], "chain");
      assert.equal(server.attributes["lucid.instance"], "blocks-0");
    });

    it("a trace begins where nobody began one, whatever the request id", async () => {
      const headers = { "x-request-id": "not-a-uuid" };
      await lab()
        .host("console")
        .call("request", { host: services.blocks.hostname, port: 80, path: "/blocks/traced", headers });
      await until("it is collected", async () =>
        (await lab().host("jaeger").call("collectedSpans")).some(
          (span) => span.attributes["guid:x-request-id"] === "not-a-uuid" && span.parentSpanId === "",
        ),
      );
    });

    it("numbers by callee, by caller zone and by caller", async () => {
      const stat = (name: "blocks" | "console", text: string) => lab().sidecars[name].stat(text);
      assert.ok((await stat("console", "cluster.outbound|blocks|http.upstream_rq_2xx")) > 0);
      assert.ok((await stat("blocks", "http.inbound|http|ops.downstream_rq_2xx")) > 0);
      assert.ok((await stat("blocks", "http.inbound|http|ops.rbac.denied")) > 0);
      assert.ok((await stat("blocks", "http.inbound|http|ops.rbac.policy.console.allowed")) > 0);
      assert.ok((await stat("blocks", "listener.inbound.ssl.fail_verify_error")) > 0);
      assert.equal(await stat("blocks", "listener_manager.lds.update_rejected"), 0);
    });
  });
}
