import * as assert from "node:assert/strict";
import { serverName } from "../../../../mesh/wire";
import type { Answer } from "../answer";
import type { ExternalLab } from "../external-lab";
import type { OutsideCertificate, OutsideSeen } from "../outside-servers";
import { until } from "../sidecar";

const DATABASE = "ledger-db.lucid.internal";
const RATES = "rates.lucid.internal";
const LEGACY = "legacy.lucid.internal";

/** What of the mesh must not be told outside of it. */
const INTERNAL =
  /^(x-lucid-identity-token|x-forwarded-client-cert|x-forwarded-for|x-forwarded-proto|x-request-id|x-envoy-.*)$/;

/** A caller, its sidecar, the way out's sidecar and the service outside: every refusal beside the permission that differs from it in one thing. */
export function outside(lab: () => ExternalLab): void {
  const query = async (): Promise<Answer> =>
    lab().host("ledger").call("exchange", { host: DATABASE, port: 5432, text: "select 1", waitMs: 1500 });
  const get = (host: string, path: string, more: object = {}): Promise<Answer> =>
    lab()
      .host("ledger")
      .call("request", { host, port: 80, path, ...more });
  const seen = ({ body = "" }: Answer): OutsideSeen => JSON.parse(body) as OutsideSeen;
  const health = async (way: "ledger-db" | "rates" | "legacy"): Promise<number | undefined> => {
    const { address } = lab().host(way);
    return (await lab().stranger.call("request", { host: address, port: 15021, path: "/health" })).status;
  };
  const isAnswered = async (): Promise<boolean> => (await query()).body !== "";

  describe("a service outside the cluster", () => {
    it("has a name for its callers, and for nobody else", async () => {
      const ask = (from: "ledger" | "bystander", name: string) =>
        lab().host(from).call("resolveName", { name, type: "A" });
      for (const name of [DATABASE, RATES, LEGACY]) {
        const service = lab().service(name.split(".")[0] ?? "");
        assert.deepEqual(await ask("ledger", name), [service.address]);
        assert.equal(await ask("bystander", name), "ENOTFOUND");
      }
    });

    it("is reached by bytes, under TLS that its way out began, by either of its instances", async () => {
      const way = lab().host("ledger-db").address;
      const instances = new Set<string>();
      await until("both instances are asked", async () => {
        const { instance, from, tls } = seen(await query());
        assert.equal(from, way, "the caller itself is not seen outside");
        assert.deepEqual([tls?.serverName, tls?.alpn, tls?.version], ["db.example.org", "postgresql", "TLSv1.3"]);
        assert.equal(tls?.callerNames, `URI:${lab().service("ledger-db").identity}`);
        return instances.add(instance).size === 2;
      });
    });

    it("is reached by requests, for the host that its certificate names, and is told nothing of the mesh", async () => {
      const answer = await get(RATES, "/tron/eur?day=1", {
        headers: { "x-forwarded-for": "10.0.0.1", host: "elsewhere.example.org" },
      });
      assert.equal(answer.status, 200);
      const { host, path, headers = {}, tls } = seen(answer);
      assert.deepEqual([host, path], ["api.example.org", "/tron/eur?day=1"]);
      assert.deepEqual(
        Object.keys(headers).filter((name) => INTERNAL.test(name)),
        [],
      );
      assert.deepEqual([tls?.serverName, tls?.alpn, tls?.callerNames], ["api.example.org", "http/1.1", ""]);
    });

    it("is reached in plain text only where that is declared", async () => {
      const { tls, path } = seen(await get(LEGACY, "/export/all"));
      assert.deepEqual([tls, path], [undefined, "/export/all"]);
    });

    it("is asked what the call may ask, and nothing else", async () => {
      for (const [path, method] of [
        ["/export/all", "POST"],
        ["/", "GET"],
        ["/export/../", "GET"],
      ] as const) {
        assert.equal((await get(LEGACY, path, { method })).status, 403, `${method} ${path}`);
      }
      assert.equal((await get(LEGACY, "/export/all")).status, 200);
    });

    it("is opened by its way out to none but its callers' certificates and tokens", async () => {
      const knock = async (name: string): Promise<Answer> =>
        lab().stranger.call("requestTls", {
          host: lab().host("legacy").address,
          port: 15001,
          serverName: serverName("http", "legacy", "ops"),
          path: "/export/all",
          ...(await lab().credentials(name)),
        });
      assert.equal((await knock("ledger")).status, 200);
      const refused = await knock("bystander");
      assert.equal(refused.status, undefined, JSON.stringify(refused));
      assert.match(refused.refused ?? "", /alert|reset|closed|hang up/i);
      const { token } = await lab().credentials("bystander");
      const borrowed = await lab().stranger.call("requestTls", {
        host: lab().host("legacy").address,
        port: 15001,
        serverName: serverName("http", "legacy", "ops"),
        path: "/export/all",
        ...(await lab().credentials("ledger")),
        token,
      });
      assert.equal(borrowed.status, 403);
    });
  });

  describe("what is at the address of a service outside, and isn't it", () => {
    const restore = async (): Promise<void> => {
      await lab().serveDatabase("outside-a");
      await lab().serveDatabase("outside-b");
      await until("it is answered again", isAnswered);
    };
    afterEach(restore);

    const impostors: Readonly<Record<string, () => Promise<OutsideCertificate | "plain">>> = {
      "another authority's certificate for the right name": () =>
        lab().certified(["db.example.org"], lab().anotherAuthority),
      "a certificate for another name": () => lab().certified(["rates.example.org"]),
      "a certificate for a name above": () => lab().certified(["example.org"]),
      "a certificate for every name of the domain": () => lab().certified(["*.example.org"]),
      "no TLS at all": () => Promise.resolve("plain"),
    };
    for (const [what, certificate] of Object.entries(impostors)) {
      it(`gets no byte with ${what}, and its way out isn't well`, async () => {
        const shown = await certificate();
        await lab().serveDatabase("outside-a", shown);
        await lab().serveDatabase("outside-b", shown);
        await until("it is refused", async () => !(await isAnswered()));
        await until("the way out isn't well", async () => (await health("ledger-db")) === 503);
      });
    }

    it("is taken with several names of which one is right", async () => {
      const several = await lab().certified(["a.example.org", "db.example.org"]);
      await lab().serveDatabase("outside-a", several);
      await lab().serveDatabase("outside-b", several);
      await until("it is answered", isAnswered);
    });

    it("is refused where TLS is older than 1.2, and taken with 1.2", async () => {
      const tls = await lab().certified(["db.example.org"]);
      for (const [newest, isTaken] of [
        ["TLSv1.2", true],
        ["TLSv1.1", false],
      ] as const) {
        for (const on of ["outside-a", "outside-b"] as const) {
          await lab().outside[on].call("stopOutside", { port: 5432 });
          await lab().outside[on].call("serveOutside", { port: 5432, speaks: "bytes", tls, newest });
        }
        await until(`${newest} is ${isTaken ? "taken" : "refused"}`, async () => (await isAnswered()) === isTaken);
        if (isTaken) assert.equal(seen(await query()).tls?.version, newest);
      }
    });

    it("answers no request for an API with the wrong certificate", async () => {
      assert.equal((await get(RATES, "/")).status, 200);
      await lab().serveRates(await lab().certified(["db.example.org"]));
      await until("it is refused", async () => (await get(RATES, "/")).status === 503);
      await lab().serveRates();
      await until("it is answered again", async () => (await get(RATES, "/")).status === 200);
    });
  });

  describe("a service outside that isn't well", () => {
    const instance = async (): Promise<string> => {
      const { body } = await query();
      return body === undefined || body === "" ? "" : (JSON.parse(body) as OutsideSeen).instance;
    };

    it("is left out by its instances, and its way out stays ready while one is left", async () => {
      const [a, b] = [lab().outside["outside-a"], lab().outside["outside-b"]];
      await until("both are well again", async () => {
        const healthy = await lab().sidecars["ledger-db"].stat("cluster.application|sql.membership_healthy");
        return healthy === 2 && (await health("ledger-db")) === 200;
      });
      await a.call("stopOutside", { port: 5432 });
      await until("the instance isn't counted", async () => {
        return (await lab().sidecars["ledger-db"].stat("cluster.application|sql.membership_healthy")) === 1;
      });
      // Workers are told of it within a second: Envoy merges what changes in that time.
      await until("the other alone is asked", async () => {
        for (let call = 0; call < 8; call++) if ((await instance()) !== b.address) return false;
        return true;
      });
      assert.equal(await health("ledger-db"), 200);
      await lab().serveDatabase("outside-a");
      await until("both are asked again", async () => (await instance()) === a.address);
    });

    it("takes its way out from the ready ones with its last instance, and brings it back", async () => {
      for (const on of ["outside-a", "outside-b"] as const) await lab().outside[on].call("stopOutside", { port: 5432 });
      await until("the way out isn't well", async () => (await health("ledger-db")) === 503);
      assert.equal(await instance(), "");
      await lab().serveDatabase("outside-b");
      await until("the way out is well", async () => (await health("ledger-db")) === 200);
      await until("it is answered", isAnswered);
      await lab().serveDatabase("outside-a");
    });

    it("is asked by a request where one is declared", async () => {
      await until("the way out is well", async () => (await health("rates")) === 200);
      await lab().outside["outside-c"].call("setOutsideHealth", { well: false });
      await until("the way out isn't well", async () => (await health("rates")) === 503);
      assert.equal((await get(RATES, "/")).status, 503);
      await lab().outside["outside-c"].call("setOutsideHealth", { well: true });
      await until("the way out is well", async () => (await health("rates")) === 200);
    });

    it("doesn't keep its way out's sidecar from being ready, nor is its health told on other paths", async () => {
      const ask = async (path: string, method = "GET") =>
        (await lab().stranger.call("request", { host: lab().host("rates").address, port: 15021, path, method })).status;
      assert.deepEqual(
        [
          await ask("/ready"),
          await ask("/health"),
          await ask("/health", "POST"),
          await ask("/healthz"),
          await ask("/"),
        ],
        [200, 200, 404, 404, 404],
      );
    });
  });
}
