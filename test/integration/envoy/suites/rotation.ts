import * as assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { peerZones } from "../../../../mesh/edges";
import { services } from "../../../unit/envoy/fixture";
import type { MeshLab, Running } from "../mesh-lab";
import { Authority, bundleOf, type Leaf, type TrustBundle } from "../pki";
import { until } from "../sidecar";

const LOAD = { perSecond: 110, forMs: 120_000 };

/**
 * The exchange of a zone's authorities, step by step as docs/certificates.md says, with a load from inside and outside the zone that sees no failed call.
 *
 * In a cluster a step reaches the pods in any order and not at once; so here each step goes from sidecar to sidecar, and after each all connections are made
 * anew, by a mark as a withdrawal sets it.
 */
export function rotation(lab: () => MeshLab): void {
  const ALL: readonly Running[] = ["blocks", "console", "prometheus", "jaeger", "router"];
  /** Of zone ops; the console calls blocks in zone chain, and Prometheus in its own. */
  const MEMBERS: readonly Running[] = ["prometheus", "console"];
  let round = 0;

  const fingerprint = (leaf: Leaf) => {
    const der = new X509Certificate(leaf.certificate).raw;
    const hexadecimal = createHash("sha256").update(der).digest("hex").toUpperCase();
    return (hexadecimal.match(/../g) ?? []).join(":");
  };
  const knock = async (leaf: Leaf) =>
    lab().stranger.call("requestTls", {
      host: lab().host("blocks").address,
      port: 15001,
      path: "/height",
      serverName: "http.blocks.ops",
      ...leaf,
      token: lab().issuer.issue(services.console),
    });
  const shown = async (name: Running) =>
    (
      await lab().stranger.call("requestTls", {
        host: lab().host(name).address,
        port: 15090,
        path: "/stats/prometheus",
        serverName: "inspection.ops",
        alpn: "http/1.1",
        ...(await lab().forge("ops", services.prometheus)),
      })
    ).certificate;

  /** One step of trust, from sidecar to sidecar. */
  async function trust(bundle: TrustBundle) {
    for (const name of ALL) {
      const sidecar = lab().sidecars[name];
      if (!peerZones(lab().mesh, sidecar.service).includes("ops")) continue;
      const before = await sidecar.stat("sds.trust/ops.update_success");
      sidecar.mountRevocations(lab().mesh, { ...lab().trust, ops: bundle }, marks());
      await until(`${name} has the step`, async () => (await sidecar.stat("sds.trust/ops.update_success")) > before);
    }
    await renewed(bundle);
  }
  async function leaves(authority: Authority): Promise<Record<string, Leaf>> {
    const made: Record<string, Leaf> = {};
    for (const name of MEMBERS) {
      const leaf = await authority.issue(services[name].hostname, services[name].identity);
      made[name] = leaf;
      lab().sidecars[name].mountCertificate(leaf);
    }
    return made;
  }
  const marks = () => (round === 0 ? [] : [{ zone: "ops", what: `round ${String(round)}` } as const]);

  /** Has all connections with peers of the zone made anew, and waits until the old ones are gone. */
  async function renewed(bundle: TrustBundle) {
    round++;
    for (const name of ALL) lab().sidecars[name].mountRevocations(lab().mesh, { ...lab().trust, ops: bundle }, marks());
    const drained = (["blocks", "prometheus"] as const).map(async (name) => {
      const draining = () => lab().sidecars[name].stat("listener_manager.total_filter_chains_draining");
      await until(`${name} drains`, async () => (await draining()) > 0);
      await until(`${name} has drained`, async () => (await draining()) === 0, 30_000);
    });
    await Promise.all(drained);
  }

  async function underLoad(steps: () => Promise<void>) {
    const host = lab().host("console");
    const loads = [
      host.call("watchedLoad", { ...LOAD, host: services.blocks.hostname, port: 80, path: "/height" }),
      host.call("watchedLoad", { ...LOAD, host: services.prometheus.hostname, port: 80, path: "/" }),
    ];
    try {
      await steps();
    } finally {
      await host.call("stopWatched");
    }
    const results = await Promise.all(loads);
    results.forEach(({ requests, seconds, statuses }, index) => {
      const to = index === 0 ? "another zone" : "its own zone";
      const rate = requests / seconds;
      console.log(
        `      calls into ${to}: ${String(requests)} in ${seconds.toFixed(1)} s (${rate.toFixed(0)}/s), statuses ${JSON.stringify(statuses)}`,
      );
      const why = lab()
        .sidecars.console.records.filter(({ kind, status }) => kind === "call" && status !== 200)
        .map(({ details, failure, flags }) => `${String(flags)} ${String(details)} ${String(failure)}`);
      assert.deepEqual(Object.keys(statuses), ["200"], [...new Set(why)].join("; "));
      assert.ok(rate > LOAD.perSecond / 2, `the load was not kept up: ${String(rate)}/s`);
    });
  }

  async function restore() {
    for (const name of ALL) lab().sidecars[name].mount(lab().mesh, lab().leaf(name), lab().trust);
    const answers = async (to: Running, path: string) => {
      const { hostname } = services[to];
      return (await lab().host("console").call("request", { host: hostname, port: 80, path })).status === 200;
    };
    const quiet = async (name: Running) =>
      (await lab().sidecars[name].stat("listener_manager.total_filter_chains_draining")) === 0;
    const all = async () =>
      (await answers("blocks", "/height")) &&
      (await answers("prometheus", "/")) &&
      (await Promise.all(ALL.map(quiet))).every(Boolean);
    await until("all is as it was", all, 60_000);
  }

  describe("rotation under load, without a retry", () => {
    afterEach(restore);

    it("of a zone's root: trusted, then issuing, then alone; no call fails, and the old one is worth nothing", async () => {
      const { ops } = lab().authorities;
      const next = await Authority.create("ops");
      await underLoad(async () => {
        const both = await bundleOf(ops, next);
        await trust(both);
        const made = await leaves(next);
        for (const name of MEMBERS) {
          const leaf = made[name];
          assert.ok(leaf !== undefined);
          await until(`${name} shows its new leaf`, async () => (await shown(name)) === fingerprint(leaf));
        }
        await renewed(both);
        await trust(await next.bundle());
      });
      assert.match((await knock(lab().leaf("console"))).refused ?? "let in", /unknown ca|decrypt error/);
      const leaf = await next.issue(services.console.hostname, services.console.identity);
      assert.equal((await knock(leaf)).status, 200);
    });

    it("of a zone's issuing authority: kept, then issuing, then alone; no call fails, and the old one is worth nothing", async () => {
      const { ops } = lab().authorities;
      const next = await ops.successor();
      await underLoad(async () => {
        const both = await bundleOf(ops, next);
        await trust(both);
        await leaves(next);
        await renewed(both);
        await trust(await next.bundle());
      });
      assert.notEqual((await knock(lab().leaf("console"))).status, 200);
      const leaf = await next.issue(services.console.hostname, services.console.identity);
      assert.equal((await knock(leaf)).status, 200);
    });

    it("that skips a step fails calls, which the load sees", async () => {
      const { ops } = lab().authorities;
      const next = await Authority.create("ops");
      await assert.rejects(
        underLoad(async () => {
          await leaves(next);
          await renewed(await ops.bundle());
        }),
        assert.AssertionError,
      );
    });
  });
}
