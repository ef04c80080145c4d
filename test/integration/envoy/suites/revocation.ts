import * as assert from "node:assert/strict";
import type { Withdrawal } from "../../../../envoy";
import type { Mesh, ZoneName } from "../../../../mesh/model";
import { isClosed } from "../../../../mesh/revocation";
import { services } from "../../../unit/envoy/fixture";
import type { Answer } from "../answer";
import type { MeshLab, Running } from "../mesh-lab";
import type { Leaf, TrustBundle } from "../pki";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
/** Within so long of the change in the pod nobody is let in any more, nor on a connection or a stream that was open before. */
const MINUTE_MS = 60_000;
const HOLD_MS = 11_000;
const REASON = "its key was lost";

/**
 * A certificate, and a service, that nobody is to believe any more: refused as caller and as callee, on what was open before too; and nobody else notices.
 * The seconds that are printed count from the swap of the files.
 */
export function revocation(lab: () => MeshLab): void {
  const date = new Date("2026-11-21T00:00:00Z");
  const trustWith = async (zone: ZoneName, leaf: Leaf): Promise<Record<ZoneName, TrustBundle>> => ({
    ...lab().trust,
    [zone]: await lab().authorities[zone].bundle([{ serial: leaf.serial, reason: "keyCompromise", date }]),
  });
  const everywhere = (trust: Readonly<Record<ZoneName, TrustBundle>>, withdrawals: readonly Withdrawal[]) => {
    for (const sidecar of Object.values(lab().sidecars)) sidecar.mountRevocations(lab().mesh, trust, withdrawals);
  };
  const knock = (leaf: Leaf): Promise<Answer> =>
    lab().stranger.call("requestTls", {
      host: lab().host("blocks").address,
      port: 15001,
      path: "/any",
      serverName: "http.blocks.wallet",
      ...leaf,
      token: lab().issuer.issue(services.router),
    });
  const get = (from: Running, path: string) => lab().host(from).call("request", { host: BLOCKS, port: 80, path });
  const seconds = (from: number, to: number | undefined) => (((to ?? Number.NaN) - from) / 1000).toFixed(1);

  /** Has the router hold a gRPC stream and keep-alive calls, and the console a WebSocket and calls, while `change` takes place. */
  async function observe(change: () => void) {
    const router = lab().host("router");
    const console = lab().host("console");
    const every = { host: BLOCKS, port: 80, forMs: HOLD_MS };
    const running = [
      router.call("holdGrpcStream", { target: `${BLOCKS}:81`, forMs: HOLD_MS }),
      router.call("watchedLoad", { ...every, path: "/any", perSecond: 50 }),
      console.call("holdWebsocket", { host: BLOCKS, port: 8090, forMs: HOLD_MS }),
      console.call("watchedLoad", { ...every, path: "/height", perSecond: 50 }),
    ] as const;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const changedAt = Date.now();
    change();
    const [stream, calls, otherStream, otherCalls] = await Promise.all(running);
    assert.ok(stream.messages > 5, "the stream was open before");
    return { changedAt, stream, calls, otherStream, otherCalls };
  }
  /** A record's number has an even count of digits. */
  const sameSerial = (recorded: unknown, leaf: Leaf) =>
    typeof recorded === "string" &&
    /^[0-9a-f]+$/.test(recorded) &&
    BigInt(`0x${recorded}`) === BigInt(`0x${leaf.serial}`);
  type Observed = Awaited<ReturnType<typeof observe>>;

  function assertCutOff({ changedAt, stream, calls }: Observed, what: string) {
    const last = (calls.lastSuccessAt ?? Number.NaN) - changedAt;
    const cut = (stream.endedAt ?? Number.NaN) - changedAt;
    console.log(
      `      ${what}: first call refused after ${seconds(changedAt, calls.firstFailureAt)} s, last call let through ` +
        `after ${seconds(changedAt, calls.lastSuccessAt)} s, open gRPC stream ended after ${seconds(changedAt, stream.endedAt)} s (${stream.how ?? "never"})`,
    );
    assert.ok(last < MINUTE_MS && last < HOLD_MS / 2, `calls were let through for ${String(last)} ms`);
    assert.ok(cut < MINUTE_MS, "the stream went on");
  }
  function assertUnaffected({ otherStream, otherCalls }: Observed) {
    console.log(
      `      meanwhile, the other caller: ${String(otherCalls.requests)} calls, statuses ${JSON.stringify(otherCalls.statuses)}; ` +
        `its WebSocket ${otherStream.endedAt === undefined ? "stayed open" : `ended (${otherStream.how ?? ""})`}`,
    );
    assert.deepEqual(Object.keys(otherCalls.statuses), ["200"]);
    assert.equal(otherStream.endedAt, undefined);
  }

  describe("revocation", () => {
    afterEach(async () => {
      for (const [name, sidecar] of Object.entries(lab().sidecars)) {
        sidecar.mount(lab().mesh, lab().leaf(name as Running), lab().trust);
      }
      const grpc = async () =>
        await lab()
          .host("router")
          .call("callGrpc", { target: `${BLOCKS}:81` });
      const ready = async () =>
        (await get("router", "/any")).status === 200 &&
        (await get("console", "/height")).status === 200 &&
        (await grpc()).text !== undefined;
      await until("all is as it was", ready, 60_000);
      await until("nothing drains any more", async () => (await draining()) === 0, 30_000);
    });
    const draining = async () =>
      (await lab().sidecars.blocks.stat("listener_manager.total_filter_chains_draining")) +
      (await lab().sidecars.blocks.stat("listener_manager.total_listeners_draining"));

    it("of a caller's certificate: refused at once, on open connections and streams too, and others don't notice", async () => {
      const leaf = lab().leaf("router");
      assert.equal((await knock(leaf)).status, 200);
      const revoked = await trustWith("wallet", leaf);
      const withdrawals = [{ zone: "wallet", service: "router", what: leaf.serial }] as const;
      const observed = await observe(() => {
        lab().sidecars.blocks.mountRevocations(lab().mesh, revoked, withdrawals);
      });
      assertCutOff(observed, "revoked caller");
      assertUnaffected(observed);
      assert.match((await knock(leaf)).refused ?? "let in", /revoked/);
      const next = await lab().forge("wallet", services.router);
      assert.equal((await knock(next)).status, 200, "another certificate of the same service is believed");
      const records = () => lab().sidecars.blocks.records;
      await until("the refusal is recorded with the serial number", () =>
        Promise.resolve(records().some(({ claimedSerial }) => sameSerial(claimedSerial, leaf))),
      );
      await until("so is a call", () =>
        Promise.resolve(records().some(({ kind, callerSerial }) => kind === "call" && sameSerial(callerSerial, next))),
      );
    });

    it("of a callee's certificate: its callers refuse it, on open streams too", async () => {
      const leaf = lab().leaf("blocks");
      const revoked = await trustWith("chain", leaf);
      const withdrawals = [{ zone: "chain", service: "blocks", what: leaf.serial }] as const;
      const observed = await observe(() => {
        lab().sidecars.router.mountRevocations(lab().mesh, revoked, withdrawals);
      });
      assertCutOff(observed, "revoked callee");
      assertUnaffected(observed);
      const why = () => lab().sidecars.router.records.map(({ failure }) => String(failure));
      await until("the caller's sidecar says why", () =>
        Promise.resolve(why().some((text) => /CERTIFICATE_VERIFY_FAILED/.test(text) && /revoked/i.test(text))),
      );
      lab().sidecars.blocks.mountCertificate(await lab().forge("chain", services.blocks));
      await until(
        "another certificate of the callee is believed",
        async () => (await get("router", "/any")).status === 200,
      );
    });

    it("of a certificate that nobody shows disturbs nobody, but for a connection made anew", async () => {
      const unused = await lab().forge("wallet", services.router);
      const revoked = await trustWith("wallet", unused);
      const observed = await observe(() => {
        everywhere(revoked, [{ zone: "wallet", service: "router", what: unused.serial }]);
      });
      assert.deepEqual(Object.keys(observed.calls.statuses), ["200"]);
      assertUnaffected(observed);
      assert.match((await knock(unused)).refused ?? "let in", /revoked/);
    });

    it("of an issuing authority, by giving up its list: what it signed is refused, though its root is trusted", async () => {
      const { ops, wallet } = lab().authorities;
      const successor = await wallet.successor();
      const trust = { ...lab().trust, wallet: { ...lab().trust.wallet, revocations: await successor.revocations() } };
      lab().sidecars.blocks.mountRevocations(lab().mesh, trust, [{ zone: "wallet", what: "issuer 1" }]);
      await until("the old authority's leaf is refused", async () =>
        /unknown ca|revoked|bad certificate|certificate unknown/.test(
          (await knock(lab().leaf("router"))).refused ?? "",
        ),
      );
      const next = await successor.issue(services.router.hostname, services.router.identity);
      assert.equal((await knock(next)).status, 200);
      assert.equal((await get("console", "/height")).status, 200, `zone ${ops.name} has its own lists`);
    });

    it("of a service: as a caller it has no edge any more, on open connections and streams too, and others don't notice", async () => {
      const without = revoking(lab().mesh, "router", REASON);
      const leaf = lab().leaf("router");
      const revoked = await trustWith("wallet", leaf);
      const observed = await observe(() => {
        // Its own sidecar keeps what it had: whoever holds its key doesn't read our files.
        for (const name of ["blocks", "jaeger", "prometheus", "console"] as const) {
          lab().sidecars[name].mountRevocations(without, revoked, [
            { zone: "wallet", service: "router", what: "service" },
          ]);
        }
      });
      assertCutOff(observed, "revoked service, as caller");
      assertUnaffected(observed);
      assert.match((await knock(leaf)).refused ?? "let in", /revoked|ECONNRESET|unknown ca/);
      const next = await lab().forge("wallet", services.router);
      assert.notEqual((await knock(next)).status, 200, "no other certificate of it is believed either");
    });

    it("of a service: as a callee it has no name any more, and what was open to it is cut off", async () => {
      const without = revoking(lab().mesh, "blocks", REASON);
      const revoked = await trustWith("chain", lab().leaf("blocks"));
      const traces = async () => await lab().sidecars.console.stat("cluster.outbound|jaeger|otlp.upstream_rq_total");
      const observed = await observe(() => {
        for (const name of ["router", "jaeger", "prometheus"] as const) {
          lab().sidecars[name].mountRevocations(without, revoked, [
            { zone: "chain", service: "blocks", what: "service" },
          ]);
        }
      });
      assertCutOff(observed, "revoked service, as callee");
      assertUnaffected(observed);
      assert.match((await get("router", "/any")).refused ?? "answered", /ENOTFOUND/, "it has no name");
      assert.ok((await traces()) > 0, "the console goes on as before: its files were left alone for comparison");
    });

    it("of a service, by its certificate alone: refused with every edge left open", async () => {
      const leaf = lab().leaf("router");
      const next = await lab().forge("wallet", services.router);
      lab().sidecars.blocks.mountRevocations(lab().mesh, await trustWith("wallet", leaf), []);
      await until("its certificate is refused", async () => /revoked/.test((await knock(leaf)).refused ?? ""));
      assert.equal((await knock(next)).status, 200, "it was the list that refused");
    });
  });
}

/** The mesh with a service revoked, as `resolveMesh` makes it. */
function revoking(mesh: Mesh, name: string, reason: string): Mesh {
  const all = mesh.services.map((service) => (service.name === name ? { ...service, revoked: reason } : service));
  const byName = new Map(all.map((service) => [service.name, service]));
  return { ...mesh, services: all, edges: mesh.edges.filter((edge) => !isClosed(edge, byName)) };
}
