import * as assert from "node:assert/strict";
import { GATEWAY_DRAIN_SECONDS, PEER_CONNECTION_SECONDS } from "../../../mesh/drain";
import { crossingServerName } from "../../../mesh/wire";
import { DatacentersLab, type Here, type Running } from "./datacenters-lab";
import type { Seen } from "./servers";
import { until, type Sidecar } from "./sidecar";

const LEDGER = "ledger.lucid.internal";
const ARCHIVE = "archive.lucid.internal";
const IDENTITY = "spiffe://ops.north.lucid.internal/ns/lucid-ops/sa/billing";
/** What the caller has of its calls to the ledger, above what it has of each datacenter. */
const CLUSTER = "outbound|ledger|http";
/** The same of its connections. */
const BLOCKS = "cluster.outbound|lucid-blocks|peers";
/** Longer than an instance is left out once (5 s) and discovery is asked again (6 s). */
const RETURN_MS = 30_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Two datacenters on real Envoys in network namespaces; a third one is declared and away. */
describe("calls between datacenters, live", function () {
  this.timeout(180_000);
  let running: DatacentersLab | undefined;
  const lab = (): DatacentersLab => {
    if (running === undefined) throw new Error("the lab did not start");
    return running;
  };
  const get = (host: string, path: string, method = "GET") =>
    lab().host("billing@north").call("request", { host, port: 80, path, method });
  const answerer = async (): Promise<string | undefined> => {
    const { status, body = "" } = await get(LEDGER, "/entries/1");
    return status === 200 ? (JSON.parse(body) as Seen).service : undefined;
  };
  const load = (forMs: number, host = LEDGER) =>
    lab().host("billing@north").call("shareLoad", {
      host,
      port: 80,
      path: "/entries/1",
      connections: 16,
      forMs,
      perSecond: 200,
    });

  before(async () => {
    running = await DatacentersLab.start();
  });
  after(async () => {
    await running?.stop();
  });

  describe("a call that another datacenter alone answers", () => {
    it("arrives, as the caller that it is, by the name that it has everywhere", async () => {
      const answer = await get(ARCHIVE, "/shelf/1");
      assert.equal(answer.status, 200, JSON.stringify(answer));
      const seen = JSON.parse(answer.body ?? "") as Seen;
      assert.equal(seen.service, "archive@south");
      assert.match(seen.headers["x-forwarded-client-cert"] ?? "", new RegExp(`URI=${IDENTITY}`));
      assert.equal(seen.headers["x-lucid-identity-token"], undefined);
    });

    it("is recorded by its callee with the caller's identity and pod, and by the gateways with whom it was for", async () => {
      await get(ARCHIVE, "/shelf/recorded");
      const found = () => lab().sidecars["archive@south"].records.find(({ path }) => path === "/shelf/recorded");
      await until("the callee has its record", () => Promise.resolve(found() !== undefined));
      assert.equal(found()?.caller, IDENTITY);
      assert.equal(found()?.callerInstance, "billing-0");
      assert.equal(found()?.serverName, "http.archive.south.ops.north");
      const links = lab().sidecars["datacenter-gateway@south"].records.filter(({ kind }) => kind === "link");
      // A record of a connection is written when it ends; those that stand are counted.
      const active = await lab().sidecars["datacenter-gateway@south"].stat(
        "http.inbound|link|edge|north.downstream_rq_total",
      );
      assert.ok(active + links.length > 0);
      assert.ok(links.every(({ authority }) => String(authority).endsWith(".south.ops.north:15001")));
    });
  });

  describe("a call that several datacenters answer", () => {
    it("stays where it is while an instance there can be reached", async () => {
      const { answered, failed } = await load(2000);
      assert.deepEqual(failed, {});
      assert.deepEqual(Object.keys(answered), ["ledger@north"]);
    });

    it("may ask, elsewhere too, what is declared and nothing else", async () => {
      assert.equal((await get(LEDGER, "/entries/1", "POST")).status, 403);
      assert.equal((await get(LEDGER, "/admin")).status, 403);
    });

    it("goes to the next datacenter when the instances here are gone at once, without a failed request, and returns", async () => {
      const going = load(12_000);
      await pause(2000);
      await lab().sidecars["ledger@north"].stop();
      const { requests, answered, failed } = await going;
      console.log(`      ${String(requests)} requests: ${JSON.stringify(answered)}, failed ${JSON.stringify(failed)}`);
      assert.deepEqual(failed, {});
      assert.ok((answered["ledger@south"] ?? 0) > requests / 2);
      // All that were under way were tried again at once.
      assert.equal(await lab().sidecars["billing@north"].stat(`cluster.${CLUSTER}.upstream_rq_retry_overflow`), 0);
      assert.ok((await lab().sidecars["billing@north"].stat(`cluster.${CLUSTER}.upstream_rq_retry_success`)) > 0);
      assert.equal(await answerer(), "ledger@south");
      assert.equal((await get(LEDGER, "/admin")).status, 403, "elsewhere it may ask no more");

      const returning = load(RETURN_MS);
      await lab().sidecars["ledger@north"].start();
      const back = await returning;
      console.log(`      ${String(back.requests)} requests: ${JSON.stringify(back.answered)}`);
      assert.deepEqual(back.failed, {});
      await until("calls are back", async () => (await answerer()) === "ledger@north", RETURN_MS);
    });

    const fail = (names: readonly Running[], fault?: { status: number }) =>
      Promise.all(names.map((name) => lab().host(name).call("setFault", { port: 8080, fault })));
    const leftOut = (datacenter: Here) =>
      lab().sidecars["billing@north"].stat(`cluster.${CLUSTER}|${datacenter}.outlier_detection.ejections_active`);
    const shown = ({ requests, answered, failed }: Awaited<ReturnType<typeof load>>) =>
      `${String(requests)} requests: ${JSON.stringify(answered)}, failed ${JSON.stringify(failed)}`;

    it("is made all the same when all have been left out after errors, and answered as soon as anybody can", async () => {
      const applications = ["ledger@north", "ledger@south"] as const;
      const all = async () => (await leftOut("north")) + (await leftOut("south")) === applications.length;
      await fail(applications, { status: 503 });
      await until("all are left out", async () => {
        await load(500);
        return all();
      });
      await fail(applications);
      const { requests, answered, failed } = await load(1000);
      console.log(`      ${shown({ requests, answered, failed })}`);
      assert.ok(await all(), "no ejection has ended meanwhile");
      // A try in 27 met the datacenter that is away three times.
      const well = Object.values(answered).reduce((sum, count) => sum + count, 0);
      assert.ok(well > requests * 0.75, `${String(well)} of ${String(requests)}`);
      assert.ok(!Object.keys(failed).some((text) => text.includes("no healthy upstream")));
      await until("calls are back", async () => (await answerer()) === "ledger@north", RETURN_MS);
    });

    it("stays with the last that is left when that answers with errors, without a failed request after them", async () => {
      const billing = lab().sidecars["billing@north"];
      const { north } = lab().resolve(({ services }) => {
        Object.assign(services.find(({ name }) => name === "ledger") ?? assert.fail(), { failover: ["south"] });
      });
      billing.mountConfig(north);
      await until(
        "there is no third",
        async () => (await billing.stat(`cluster.${CLUSTER}|east.membership_total`)) === 0,
      );
      await lab().sidecars["ledger@north"].stop();
      await until("calls go there", async () => {
        await load(500);
        return (await leftOut("north")) === 1;
      });
      await fail(["ledger@south"], { status: 503 });
      const failing = await load(1000);
      assert.deepEqual(failing.answered, {});
      await fail(["ledger@south"]);
      const after = await load(1000);
      console.log(`      ${shown(after)}`);
      assert.equal(await leftOut("south"), 0);
      assert.deepEqual(after.failed, {});
      assert.deepEqual(Object.keys(after.answered), ["ledger@south"]);
      await lab().sidecars["ledger@north"].start();
      billing.mountConfig(lab().meshes.north);
      await until("calls are back", async () => (await answerer()) === "ledger@north", RETURN_MS);
    });

    it("goes there when the last instances here end as pods do, and returns, without a failed request", async () => {
      const app = (fault?: { status: number }) => lab().host("ledger@north").call("setFault", { port: 8080, fault });
      const going = load(2 * RETURN_MS);
      await pause(1000);
      // Discovery forgets who ends, resolvers keep the last that they knew, the application ends, and then its sidecar.
      await lab().tell("north", ["datacenter-gateway"]);
      await pause(10_000);
      assert.equal(await answerer(), "ledger@north");
      await app({ status: 503 });
      await until("calls go there", async () => (await answerer()) === "ledger@south", RETURN_MS);
      await lab().sidecars["ledger@north"].stop();
      await pause(5000);
      await app();
      await lab().sidecars["ledger@north"].start();
      await lab().tell("north", ["datacenter-gateway", "ledger", "billing"]);
      await until("calls are back", async () => (await answerer()) === "ledger@north", RETURN_MS);
      const { requests, answered, failed } = await going;
      console.log(`      ${String(requests)} requests: ${JSON.stringify(answered)}, failed ${JSON.stringify(failed)}`);
      assert.deepEqual(failed, {});
      assert.ok((answered["ledger@south"] ?? 0) > 0);
    });
  });

  describe("connections that several datacenters answer", () => {
    const here = "lucid-blocks@north";
    const connect = (forMs: number) =>
      lab()
        .host("billing@north")
        .call("shareConnections", { host: "lucid-blocks.lucid.internal", port: 9100, perSecond: 20, forMs });
    const answerers = async () => Object.keys((await connect(200)).answered);
    const ends: Readonly<Record<string, readonly [leave: () => Promise<unknown>, back: () => Promise<unknown>]>> = {
      "refuse, of which there are three": [
        async () => {
          const { address } = lab().stranger;
          const addresses = [lab().host(here).address, address, lab().resolvers.north.address];
          await lab().resolvers.north.call("setRecords", {
            records: { [lab().service(here).discoveryName]: addresses },
          });
          const known = () => lab().sidecars["billing@north"].stat(`${BLOCKS}|north.membership_total`);
          await until("all three are known", async () => (await known()) === 3);
          await lab().sidecars[here].stop();
        },
        async () => {
          await lab().sidecars[here].start();
          await lab().tell("north", ["lucid-blocks", "datacenter-gateway", "ledger", "billing"]);
        },
      ],
      "have no application": [
        () => lab().host(here).call("stopTcp", { port: 9000 }),
        () =>
          lab()
            .host(here)
            .call("serveTcp", { port: 9000, banner: `${here}\n` }),
      ],
      // A connection that carries others is known to be silent after 35 s: those wait.
      "are silent": [() => lab().silence(here), () => lab().silence(here, false)],
    };
    for (const [title, [leave, back]] of Object.entries(ends)) {
      it(`go to the next when the instances here ${title}, without one that is lost, and return`, async () => {
        assert.deepEqual(await answerers(), [here]);
        const left = connect(12_000);
        await pause(1000);
        await leave();
        const { requests, answered, failed } = await left;
        console.log(`      ${String(requests)} connections: ${JSON.stringify(answered)}`);
        await back();
        assert.deepEqual(failed, {});
        assert.ok((answered["lucid-blocks@south"] ?? 0) > 0);
        await until("connections are back", async () => (await answerers()).join() === here, 2 * RETURN_MS);
      });
    }
  });

  describe("whoever comes with anything less", () => {
    const at = (name: Running) => ({ host: lab().host(name).address, port: 15001 });
    const sni = crossingServerName("http", "ledger", "south", "ops.north");
    const through = { port: 15443 };

    it("is let in by the right certificate and token, straight at the callee: what follows differs in one thing each", async () => {
      const answer = await lab().stranger.call("requestTls", {
        ...at("ledger@south"),
        serverName: sni,
        alpn: "h2",
        path: "/entries/1",
        ...(await lab().credentials("billing@north")),
      });
      assert.equal(answer.status, 200, JSON.stringify(answer));
    });

    const refused: [title: string, change: () => Promise<object>, expected: number | undefined][] = [
      [
        "a token of the callee's own cluster, of the same issuer and subject",
        () => Promise.resolve({ token: lab().issuers.south.issue(lab().service("billing@north")) }),
        401,
      ],
      ["no token", () => Promise.resolve({ token: undefined }), 401],
      [
        "a token of another service there",
        () => Promise.resolve({ token: lab().issuers.north.issue(lab().service("ledger@north")) }),
        403,
      ],
      ["a certificate of another service there", () => lab().credentials("ledger@north"), undefined],
      ["a certificate of the same name here", () => lab().credentials("ledger@south"), undefined],
      ["a server name of the callee's own zones", () => Promise.resolve({ serverName: "http.ledger.ops" }), undefined],
    ];
    for (const [title, change, expected] of refused) {
      it(`is refused: ${title}`, async () => {
        const answer = await lab().stranger.call("requestTls", {
          ...at("ledger@south"),
          serverName: sni,
          alpn: "h2",
          path: "/entries/1",
          ...(await lab().credentials("billing@north")),
          ...(await change()),
        });
        assert.equal(answer.status, expected, JSON.stringify(answer));
        if (expected === undefined) assert.ok(answer.refused !== undefined);
      });
    }

    it("is passed on by the gateway with the caller's own certificate alone, which its callee asks for", async () => {
      const way = {
        host: lab().host("datacenter-gateway@north").address,
        ...through,
        serverName: sni,
        alpn: "h2" as const,
        path: "/entries/1",
      };
      const own = await lab().credentials("billing@north");
      assert.equal((await lab().stranger.call("requestTls", { ...way, ...own })).status, 200);
      const other = await lab().stranger.call("requestTls", { ...way, ...(await lab().credentials("ledger@north")) });
      assert.ok(other.refused !== undefined, JSON.stringify(other));
    });

    it("is not passed on for a call that nobody declared, nor in plain text", async () => {
      const { address } = lab().host("datacenter-gateway@north");
      const own = await lab().credentials("billing@north");
      const names = [
        "http.rates.south.ops.north",
        "http.ledger.south.ops.south",
        "http.ledger.south.wallet.north",
        "link.datacenter-gateway.south.edge.north",
      ];
      for (const serverName of names) {
        const answer = await lab().stranger.call("requestTls", {
          host: address,
          ...through,
          serverName,
          alpn: "h2",
          path: "/entries/1",
          ...own,
        });
        assert.ok(answer.refused !== undefined, serverName);
      }
      const plain = await lab().stranger.call("request", { host: address, ...through, path: "/entries/1" });
      assert.ok(plain.refused !== undefined);
    });

    it("does not enter by the link, who isn't the other gateway", async () => {
      const link = {
        ...at("datacenter-gateway@south"),
        serverName: crossingServerName("link", "datacenter-gateway", "south", "edge.north"),
      };
      for (const name of ["billing@north", "datacenter-gateway@south", "ledger@south"] as const) {
        const answer = await lab().stranger.call("connectTunnel", { ...link, ...(await lab().credentials(name)) });
        assert.ok(answer.refused !== undefined, name);
      }
      const gateway = await lab().credentials("datacenter-gateway@north");
      const withoutToken = await lab().stranger.call("connectTunnel", { ...link, ...gateway, token: undefined });
      assert.equal(withoutToken.status, 401, JSON.stringify(withoutToken));
      // By the right certificate and token it comes as far as to be asked whom it means, and means nobody.
      const unknown = await lab().stranger.call("connectTunnel", { ...link, ...gateway });
      assert.equal(unknown.status, 404, JSON.stringify(unknown));
    });
  });

  describe("while a gateway's pod is replaced", () => {
    it("is passed on by it for longer than a connection may be old, and within the time that it has to end, without a failed request", async function () {
      this.timeout((GATEWAY_DRAIN_SECONDS + 60) * 1000);
      const gateway = lab().sidecars["datacenter-gateway@south"];
      const connections = (sidecar: Sidecar) => sidecar.stat("http.inbound|link|edge|north.downstream_cx_active");
      const unlimited = lab().resolve(({ services }) => {
        Object.assign(services[0]?.calls?.[1] ?? assert.fail(), { traffic: {} });
      });
      lab().sidecars["archive@south"].mountConfig(unlimited.south);
      // Links that are new when the pod is told to end, for each worker of the other gateway.
      const knock = {
        host: lab().host("datacenter-gateway@north").address,
        port: 15443,
        serverName: crossingServerName("http", "archive", "south", "ops.north"),
        alpn: "h2" as const,
        path: "/shelf/1",
        ...(await lab().credentials("billing@north")),
      };
      for (let each = 0; each < 8; each++) assert.equal((await lab().stranger.call("requestTls", knock)).status, 200);
      const successor = await lab().succeed("datacenter-gateway@south");
      const began = Date.now();
      await pause(30_000);
      // Connections of callers that are new when those links are old.
      const state = { isOver: false };
      const going = (async () => {
        const loads = [];
        while (!state.isOver) loads.push(await load(2000, ARCHIVE));
        return loads;
      })();
      const isUnused = async () => (await connections(gateway)) === 0;
      await until("nothing passes the one that ends", isUnused, GATEWAY_DRAIN_SECONDS * 1000);
      const seconds = (Date.now() - began) / 1000;
      await gateway.stop();
      await pause(2000);
      state.isOver = true;
      const loads = await going;
      const requests = loads.reduce((sum, each) => sum + each.requests, 0);
      console.log(`      ${seconds.toFixed(0)} s, ${String(requests)} requests`);
      assert.deepEqual(new Set(loads.flatMap(({ failed }) => Object.keys(failed))), new Set());
      assert.ok((await connections(successor)) > 0);
      assert.ok(seconds > PEER_CONNECTION_SECONDS, "less time would have done");
      assert.ok(seconds < GATEWAY_DRAIN_SECONDS);
    });
  });
});
