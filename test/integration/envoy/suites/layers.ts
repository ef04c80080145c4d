import * as assert from "node:assert/strict";
import { serverName } from "../../../../mesh/wire";
import { services } from "../../../unit/envoy/fixture";
import { BANNER, type MeshLab } from "../mesh-lab";
import { until } from "../sidecar";

/** Takes the exact names out of every TLS context: any certificate of the zone gets through. */
const withoutNames = (text: string): string =>
  text.replaceAll(
    /default_validation_context:\n +match_typed_subject_alt_names:\n(?: +- san_type: URI\n +matcher:\n +exact: .*\n)+/g,
    "default_validation_context: {}\n",
  );

/** Lets RBAC allow everything. */
const withoutRbac = (text: string): string => text.replaceAll("action: ALLOW", "action: LOG");

/** Each layer of a sidecar refuses on its own: the other is opened for the test. */
export function layers(lab: () => MeshLab): void {
  const change = async (alter: (text: string) => string): Promise<void> => {
    const { blocks } = lab().sidecars;
    const before = await blocks.stat("listener_manager.lds.update_success");
    blocks.mountConfig(lab().mesh, (file, text) => (file === "listeners.yaml" ? alter(text) : text));
    await until(
      "the listeners are loaded",
      async () => (await blocks.stat("listener_manager.lds.update_success")) > before,
    );
    assert.equal(await blocks.stat("listener_manager.lds.update_rejected"), 0);
    // New chains serve new connections as soon as they are loaded; old ones are drained.
    await until("nothing warms", async () => (await blocks.stat("listener_manager.total_listeners_warming")) === 0);
  };
  const asPrometheus = async () =>
    lab().stranger.call("requestTls", {
      host: lab().host("blocks").address,
      port: 15001,
      serverName: serverName("http", "blocks", "ops"),
      path: "/height",
      ...lab().leaf("prometheus"),
    });
  const tcpAsPayment = async () => {
    const tls = {
      serverName: serverName("peer", "blocks", "wallet"),
      ...(await lab().forge("wallet", services.payment)),
    };
    return lab().stranger.call("exchange", {
      host: lab().host("blocks").address,
      port: 15001,
      text: "",
      waitMs: 700,
      tls,
    });
  };

  describe("each layer on its own", () => {
    after(async () => {
      await change((text) => text);
    });

    it("TLS refuses with RBAC off", async () => {
      await change(withoutRbac);
      assert.match((await asPrometheus()).refused ?? "answered", /certificate unknown/);
    });

    it("RBAC refuses with TLS open to the whole zone", async () => {
      await change(withoutNames);
      await until("TLS lets it through", async () => (await asPrometheus()).status !== undefined);
      assert.equal((await asPrometheus()).status, 403);
      assert.equal(
        (await lab().host("console").call("request", { host: services.blocks.hostname, port: 80, path: "/height" }))
          .status,
        200,
      );
    });

    it("RBAC refuses TCP before the application has said a word", async () => {
      assert.doesNotMatch((await tcpAsPayment()).body ?? "", new RegExp(BANNER));
      const dialled = await lab().sidecars.blocks.stat("http.inbound|peer|wallet.rbac.denied");
      assert.equal(dialled, 0, "a peer that sends no CONNECT is not even judged");
      const connect = {
        serverName: serverName("peer", "blocks", "wallet"),
        ...(await lab().forge("wallet", services.payment)),
      };
      const answer = await lab().stranger.call("connectTunnel", {
        host: lab().host("blocks").address,
        port: 15001,
        ...connect,
      });
      assert.deepEqual([answer.status, answer.body], [403, "RBAC: access denied"]);
    });

    it("with both off everybody of the zone gets in, so it was they who refused", async () => {
      await change((text) => withoutRbac(withoutNames(text)));
      await until("nobody refuses", async () => (await asPrometheus()).status === 200);
      const connect = {
        serverName: serverName("peer", "blocks", "wallet"),
        ...(await lab().forge("wallet", services.payment)),
      };
      const answer = await lab().stranger.call("connectTunnel", {
        host: lab().host("blocks").address,
        port: 15001,
        ...connect,
      });
      assert.deepEqual([answer.status, answer.body], [200, BANNER]);
    });
  });
}
