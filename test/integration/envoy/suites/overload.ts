import * as assert from "node:assert/strict";
import { services } from "../../../unit/envoy/fixture";
import type { MeshLab } from "../mesh-lab";
import { until } from "../sidecar";

/** A sidecar that has no memory left refuses calls, and goes on telling kubelet and Prometheus how it is. */
export function overload(lab: () => MeshLab): void {
  const { hostname } = services.blocks;
  const get = async () =>
    (await lab().host("console").call("request", { host: hostname, port: 80, path: "/height" })).status;

  describe("overload", () => {
    const restart = async (heap?: string) => {
      const { blocks } = lab().sidecars;
      await blocks.stop();
      blocks.mountConfig(lab().mesh, (_file, text) =>
        heap === undefined ? text : text.replace(/max_heap_size_bytes: \d+/, `max_heap_size_bytes: ${heap}`),
      );
      // Awaits `/ready`, as kubelet does it.
      await blocks.start();
    };
    after(async () => {
      await restart();
      await until("calls are answered again", async () => (await get()) === 200);
    });

    it("a sidecar whose heap is full refuses calls, and answers kubelet and Prometheus", async () => {
      assert.equal(await get(), 200);
      await restart("1048576");
      const { blocks } = lab().sidecars;
      const refusing = () => blocks.stat("overload.envoy.overload_actions.stop_accepting_requests.active");
      await until("it is overloaded", async () => (await refusing()) === 1);
      await until("calls are refused", async () => (await get()) === 503);
      const metrics = await lab().stranger.call("requestTls", {
        host: blocks.host.address,
        port: 15090,
        serverName: "inspection.ops",
        alpn: "http/1.1",
        path: "/stats/prometheus",
        ...lab().leaf("prometheus"),
      });
      assert.equal(metrics.status, 200);
      assert.equal(await refusing(), 1, "it was overloaded all the time");
    });
  });
}
