import * as assert from "node:assert/strict";
import { trustInNobody } from "../../../../components/identity/nobody";
import type { ZoneName } from "../../../../mesh/model";
import { services } from "../../../unit/envoy/fixture";
import type { MeshLab, Running } from "../mesh-lab";
import type { TrustBundle } from "../pki";
import { until } from "../sidecar";

/**
 * A zone whose stack has told nothing yet: its peers come up all the same, refuse it as caller and as callee, and nobody else; and believe it once they are
 * given its roots, without a restart.
 */
export function nobody(lab: () => MeshLab): void {
  const closing = (...zones: readonly ZoneName[]): Record<ZoneName, TrustBundle> => ({
    ...lab().trust,
    ...Object.fromEntries(
      zones.map((zone) => {
        const { rootsPem, revocationsPem } = trustInNobody(zone);
        return [zone, { roots: rootsPem, revocations: revocationsPem }];
      }),
    ),
  });
  const get = async (from: Running, path: string) =>
    (await lab().host(from).call("request", { host: services.blocks.hostname, port: 80, path })).status;
  const knock = async (name: "console" | "router") => {
    const zone = services[name].zone;
    const answer = await lab().stranger.call("requestTls", {
      host: lab().host("blocks").address,
      port: 15001,
      path: "/height",
      serverName: `http.blocks.${zone}`,
      ...(await lab().forge(zone, services[name])),
    });
    return answer.status ?? answer.refused ?? "";
  };
  /** A sidecar that starts with this, as a pod that is made. */
  const startWith = async (name: Running, trust: Record<ZoneName, TrustBundle>) => {
    const sidecar = lab().sidecars[name];
    await sidecar.stop();
    sidecar.mount(lab().mesh, lab().leaf(name), trust);
    await sidecar.start();
  };
  const given = async (name: Running, zone: ZoneName, trust: Record<ZoneName, TrustBundle>) => {
    const sidecar = lab().sidecars[name];
    const before = await sidecar.stat(`sds.trust/${zone}.update_success`);
    sidecar.mount(lab().mesh, lab().leaf(name), trust);
    await until(`${name} has the roots`, async () => (await sidecar.stat(`sds.trust/${zone}.update_success`)) > before);
  };

  describe("a zone of which nobody is believed yet", () => {
    it("is refused as caller by a sidecar that starts so, which takes others' calls", async () => {
      await startWith("blocks", closing("ops"));
      assert.equal(await lab().sidecars.blocks.stat("sds.trust/ops.update_rejected"), 0);
      await until("the router's call is taken", async () => (await get("router", "/height")) === 200, 30_000);
      assert.equal(await knock("router"), 200);
      assert.match(String(await knock("console")), /unknown ca|certificate unknown|ECONNRESET|alert/i);
      assert.equal(await get("console", "/height"), 503);
    });

    it("is believed as soon as its roots are there, without a restart", async () => {
      const { pid } = lab().sidecars.blocks;
      await given("blocks", "ops", lab().trust);
      await until("the console's call is taken", async () => (await get("console", "/height")) === 200, 30_000);
      assert.equal(await knock("console"), 200);
      assert.equal(lab().sidecars.blocks.pid, pid);
    });

    it("is refused as callee by a sidecar that starts so", async () => {
      await startWith("console", closing("chain"));
      assert.equal(await lab().sidecars.console.stat("sds.trust/chain.update_rejected"), 0);
      assert.equal(await get("console", "/height"), 503);
      await given("console", "chain", lab().trust);
      await until("the callee is believed", async () => (await get("console", "/height")) === 200, 30_000);
    });
  });
}
