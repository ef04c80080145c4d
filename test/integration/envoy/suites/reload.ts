import * as assert from "node:assert/strict";
import { peerZones } from "../../../../mesh/edges";
import type { Mesh } from "../../../../mesh/model";
import { services } from "../../../unit/envoy/fixture";
import type { MeshLab } from "../mesh-lab";
import { Authority, bundleOf } from "../pki";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
const TOLERANCE_MS = 8000;

/** Changes of the mounted files take effect with no restart, and without a failed request of those they do not concern. */
export function reload(lab: () => MeshLab): void {
  const status = async () =>
    (await lab().host("console").call("request", { host: BLOCKS, port: 80, path: "/height" })).status;
  const grpc = () =>
    lab()
      .host("router")
      .call("callGrpc", { target: `${BLOCKS}:81` });

  describe("reload by symlink swap", () => {
    it("a caller taken out of the document is refused, on kept-alive connections too; others do not notice", async () => {
      const { blocks } = lab().sidecars;
      const { mesh } = lab();
      const without: Mesh = {
        ...mesh,
        edges: mesh.edges.filter(({ from, port }) => from !== "console" || port !== "http"),
      };
      const keptAlive = { host: BLOCKS, port: 80, everyMs: 20, forMs: TOLERANCE_MS };
      const removed = lab()
        .host("console")
        .call("requestKeptAlive", { ...keptAlive, path: "/height" });
      const other = lab()
        .host("router")
        .call("requestKeptAlive", { ...keptAlive, path: "/any" });
      setTimeout(() => {
        blocks.mountConfig(without);
      }, 1000);
      const { statuses, connections } = await removed;
      assert.equal(statuses[0], 200);
      assert.equal(statuses.at(-1), 503, "refused by TLS: the door is gone");
      assert.ok(statuses.lastIndexOf(200) < statuses.length * 0.9);
      assert.equal(connections, 1);
      const { statuses: unconcerned } = await other;
      assert.ok(unconcerned.length > 50);
      assert.deepEqual([...new Set(unconcerned)], [200]);
      blocks.mountConfig(mesh);
      await until("the call is allowed again", async () => (await status()) === 200);
    });

    it("a new leaf is served within seconds, and no call fails meanwhile", async () => {
      const { blocks } = lab().sidecars;
      const shown = async () =>
        (
          await lab().stranger.call("requestTls", {
            host: blocks.host.address,
            port: 15001,
            serverName: "http.blocks.ops",
            path: "/height",
            ...lab().leaf("console"),
          })
        ).certificate;
      const before = await shown();
      assert.ok(before !== undefined);
      const meanwhile = lab()
        .host("router")
        .call("requestKeptAlive", { host: BLOCKS, port: 80, path: "/", everyMs: 20, forMs: 4000 });
      blocks.mountCertificate(await lab().forge("chain", services.blocks));
      await until("the new leaf is shown", async () => (await shown()) !== before, 5000);
      assert.deepEqual([...new Set((await meanwhile).statuses)], [200]);
    });

    it("a zone's roots can be exchanged, with an overlap and without a failed call", async () => {
      const { blocks, router } = lab().sidecars;
      const next = await Authority.create("chain");
      const { trust } = lab();
      const calls = lab()
        .host("router")
        .call("requestKeptAlive", { host: BLOCKS, port: 80, path: "/", everyMs: 20, forMs: 6000 });
      const trusted = { mesh: trust.mesh, ops: trust.ops, wallet: trust.wallet };
      router.mountTrust({ ...trusted, chain: await bundleOf(lab().authorities.chain, next) });
      await until("both roots are loaded", async () => (await router.stat("sds.trust/chain.update_success")) >= 2);
      blocks.mountCertificate(await next.issue(BLOCKS, services.blocks.identity));
      await until("the new chain is served", async () => (await blocks.stat("sds.leaf.update_success")) >= 3);
      router.mountTrust({ ...trusted, chain: await next.bundle() });
      assert.deepEqual([...new Set((await calls).statuses)], [200]);
      // The console still trusts the old root alone; a changed chain drains the connection that it made before.
      blocks.mountConfig(lab().mesh, (_file, text) =>
        text.replaceAll("max_headers_count: 100", "max_headers_count: 101"),
      );
      await until("whoever does not trust the new root refuses", async () => (await status()) === 503, 15_000);
      blocks.mountCertificate(lab().leaf("blocks"));
      blocks.mountConfig(lab().mesh);
      router.mountTrust({ ...trusted, chain: trust.chain });
      await until(
        "all is as it was",
        async () => (await status()) === 200 && (await grpc()).text !== undefined,
        20_000,
      );
    });

    it("a zone whose root is taken away is refused", async () => {
      const { blocks } = lab().sidecars;
      const { trust } = lab();
      // Of the same name and with another key, so what it "signed" does not verify.
      const stranger = await Authority.create("ops");
      const knock = () =>
        lab().stranger.call("requestTls", {
          host: blocks.host.address,
          port: 15001,
          serverName: "http.blocks.ops",
          path: "/height",
          ...lab().leaf("console"),
        });
      assert.equal((await knock()).status, 200);
      blocks.mountTrust({ mesh: trust.mesh, ops: await stranger.bundle(), wallet: trust.wallet });
      await until("it is refused", async () => /unknown ca|decrypt error/.test((await knock()).refused ?? ""), 5000);
      blocks.mountTrust({ mesh: trust.mesh, ops: trust.ops, wallet: trust.wallet });
      await until("it is let in again", async () => (await knock()).status === 200, 5000);
    });

    it("a zone that becomes a peer brings its listener and its roots in one swap, and nothing is rejected", async () => {
      const { blocks } = lab().sidecars;
      const { mesh, trust } = lab();
      const without: Mesh = {
        ...mesh,
        edges: mesh.edges.filter(({ from, to }) => ![from, to].includes("router") || ![from, to].includes("blocks")),
      };
      assert.ok(!peerZones(without, services.blocks).includes("wallet"));
      const call = async () =>
        (await lab().host("router").call("request", { host: BLOCKS, port: 80, path: "/any" })).status;
      const rejected = () => blocks.stat("listener_manager.lds.update_rejected");
      const draining = async () =>
        (await blocks.stat("listener_manager.total_filter_chains_draining")) +
        (await blocks.stat("listener_manager.total_listeners_draining"));
      const before = await rejected();
      blocks.mount(without, lab().leaf("blocks"), trust);
      await until("the zone is refused", async () => (await call()) === 503);
      // While a chain drains, Envoy still has its zone's roots: only then is the zone a new one.
      await until("the old chains are gone", async () => (await draining()) === 0, 20_000);
      blocks.mount(mesh, lab().leaf("blocks"), trust);
      await until("the zone is let in", async () => (await call()) === 200);
      assert.equal(await rejected(), before);
    });

    it("a file with an unknown field is refused, counted, and what ran goes on", async () => {
      const { blocks } = lab().sidecars;
      blocks.mountConfig(lab().mesh, (file, text) =>
        file === "listeners.yaml" ? text.replaceAll("require_client_certificate", "require_client_certifcate") : text,
      );
      await until("it is rejected", async () => (await blocks.stat("listener_manager.lds.update_rejected")) > 0);
      assert.equal(await status(), 200);
      blocks.mountConfig(lab().mesh);
    });
  });
}
