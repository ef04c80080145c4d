import * as assert from "node:assert/strict";
import { inspectionServerName } from "../../../../envoy";
import { IDENTITY_TOKEN, serverName } from "../../../../mesh/wire";
import { services } from "../../../unit/envoy/fixture";
import type { Answer } from "../answer";
import { Issuer, type Claims } from "../issuer";
import { BANNER, type MeshLab } from "../mesh-lab";
import type { Seen } from "../servers";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;
/** Calls that a change is made among, at least: before it, meanwhile and after it. */
const ENOUGH = 400;

/** The second factor: whose token, beside whose certificate, is worth a call. */
export function token(lab: () => MeshLab): void {
  /** Asks as the console by its true certificate, with whatever token. */
  const ask = (presented: string | undefined, more: object = {}): Promise<Answer> =>
    lab().stranger.call("requestTls", {
      host: lab().host("blocks").address,
      port: 15001,
      path: "/height",
      serverName: serverName("http", "blocks", "ops"),
      ...lab().leaf("console"),
      ...more,
      ...(presented === undefined ? { token: undefined } : { token: presented }),
    });
  const issue = (claims: Claims = {}) => lab().issuer.issue(services.console, claims);
  const status = async (presented: string | undefined) => (await ask(presented)).status;
  const record = async (id: string) => {
    const find = () => lab().sidecars.blocks.records.find((candidate) => candidate.requestId === id);
    await until("it is recorded", () => Promise.resolve(find() !== undefined), 5000);
    return find() ?? {};
  };
  const call = () => lab().host("console").call("request", { host: BLOCKS, port: 80, path: "/height" });

  /** 200 calls a second, half of them on one connection kept alive and half on connections of their own, while `change` happens; the statuses seen. */
  const underLoad = async (change: () => Promise<void>): Promise<Map<number, number>> => {
    const seen = new Map<number, number>();
    const count = (one: number) => seen.set(one, (seen.get(one) ?? 0) + 1);
    let over = false;
    const fresh = async () => {
      while (!over) {
        const pause = new Promise((resolve) => setTimeout(resolve, 10));
        count((await call()).status ?? 0);
        await pause;
      }
    };
    const kept = async () => {
      while (!over) {
        const part = { host: BLOCKS, port: 80, path: "/height", everyMs: 5, forMs: 500 };
        (await lab().host("console").call("requestKeptAlive", part)).statuses.forEach(count);
      }
    };
    const load = Promise.all([fresh(), kept()]);
    const total = () => [...seen.values()].reduce((sum, one) => sum + one, 0);
    try {
      await until("calls are under way", () => Promise.resolve(total() > ENOUGH / 4));
      await change();
      await until("enough calls were made", () => Promise.resolve(total() > ENOUGH));
    } finally {
      over = true;
      await load;
    }
    return seen;
  };
  const onlyAnswered = (seen: Map<number, number>, what: string) => {
    const total = [...seen.values()].reduce((sum, one) => sum + one, 0);
    process.stdout.write(`      ${what}: ${String(total)} calls, ${String(total - (seen.get(200) ?? 0))} failed\n`);
    assert.deepEqual([...seen.keys()], [200]);
  };

  /** Everybody knows the issuer's present keys and has a token of them. */
  const restore = async () => {
    for (const [name, sidecar] of Object.entries(lab().sidecars)) {
      sidecar.mountKeys(lab().issuer.published);
      sidecar.mountToken(lab().issuer.issue(services[name as "console"]));
    }
    await until("calls are answered", async () => (await call()).status === 200);
  };

  describe("the identity token", () => {
    it("is asked for beside the certificate (what follows differs from this in one thing each)", async () => {
      assert.equal(await status(issue()), 200);
    });

    const refusals: readonly [string, (() => string) | undefined, number, RegExp][] = [
      ["none", undefined, 401, /Jwt_is_missing/],
      ["of another service", () => lab().issuer.issue(services.router), 403, /rbac_access_denied/],
      [
        "of another zone's service of the name",
        () => lab().issuer.issue({ ...services.console, namespace: "lucid-chain" }),
        403,
        /rbac_access_denied/,
      ],
      [
        "for another audience",
        () => issue({ audience: "https://kubernetes.default.svc" }),
        403,
        /Audiences_in_Jwt_are_not_allowed/,
      ],
      ["of another issuer", () => issue({ issuer: "https://elsewhere.example" }), 401, /Jwt_issuer_is_not_configured/],
      [
        "signed by a stranger in the issuer's name",
        () => new Issuer().issue(services.console),
        401,
        /verification_fails|kid/i,
      ],
      ["expired", () => issue({ lifetime: -30 }), 401, /Jwt_is_expired/],
      ["of a longer life than kubelet asks for", () => issue({ lifetime: 3600 }), 401, /Jwt/],
      ["changed", () => changed(issue()), 401, /Jwt/],
      ["no token at all", () => "x", 401, /Jwt/],
    ];
    for (const [what, presented, expected, reason] of refusals) {
      it(`refuses the right certificate with a token ${what}`, async () => {
        const id = `token-${what.replaceAll(" ", "-")}`;
        const answer = await ask(presented?.(), { headers: { "x-request-id": id } });
        assert.equal(answer.status, expected, answer.body);
        const { details, callerInstance } = await record(id);
        assert.match(String(details), reason);
        if (expected === 401) {
          assert.ok(callerInstance === undefined || callerInstance === "-" || callerInstance === null);
        }
      });
    }

    it("stolen, is worth nothing beside a certificate that may call itself", async () => {
      // Both may send spans, and each has a policy of its own behind the same door.
      const send = (own: "console" | "prometheus", stolen: "console" | "prometheus") =>
        lab().stranger.call("requestTls", {
          host: lab().host("jaeger").address,
          port: 15001,
          serverName: serverName("otlp", "jaeger", "ops"),
          path: "/none",
          ...lab().leaf(own),
          token: lab().issuer.issue(services[stolen]),
        });
      assert.notEqual((await send("prometheus", "prometheus")).status, 403);
      assert.equal((await send("prometheus", "console")).status, 403);
      assert.equal((await send("console", "prometheus")).status, 403);
      assert.notEqual((await send("console", "console")).status, 403);
    });

    it("is asked for on a TCP port as well, before the application has said a word", async () => {
      const tunnel = async (presented: string | undefined) =>
        lab().stranger.call("connectTunnel", {
          host: lab().host("blocks").address,
          port: 15001,
          serverName: serverName("peer", "blocks", "wallet"),
          ...lab().leaf("router"),
          token: presented,
        });
      assert.deepEqual(pick(await tunnel(lab().issuer.issue(services.router))), [200, BANNER]);
      for (const [presented, expected] of [
        [undefined, 401],
        [issue(), 403],
        [lab().issuer.issue(services.router, { lifetime: -30 }), 401],
      ] as const) {
        const [refused, body] = pick(await tunnel(presented));
        assert.equal(refused, expected);
        assert.doesNotMatch(body ?? "", new RegExp(BANNER));
      }
    });

    it("is asked of those who inspect", async () => {
      const inspect = (presented: string | undefined) =>
        lab().stranger.call("requestTls", {
          host: lab().host("blocks").address,
          port: 15090,
          serverName: inspectionServerName("ops"),
          alpn: "http/1.1",
          path: "/stats/prometheus",
          ...lab().leaf("prometheus"),
          token: presented,
        });
      assert.equal((await inspect(lab().issuer.issue(services.prometheus))).status, 200);
      assert.equal((await inspect(undefined)).status, 401);
      assert.equal((await inspect(issue())).status, 403);
    });

    it("names the instance in the callee's record", async () => {
      const id = "instance-of-the-caller";
      await ask(issue({ pod: "console-7f9c" }), { headers: { "x-request-id": id } });
      const { caller, callerInstance, status: answered } = await record(id);
      assert.deepEqual([caller, callerInstance, answered], [services.console.identity, "console-7f9c", 200]);
    });

    it("never reaches the application, and is none of the application's to choose", async () => {
      const headers = {
        [IDENTITY_TOKEN.header]: lab().issuer.issue(services.router),
        x_lucid_identity_token: "underscored",
      };
      const answer = await lab().host("console").call("request", { host: BLOCKS, port: 80, path: "/height", headers });
      assert.equal(answer.status, 200, "the sidecar's own token went with it, not the application's");
      const seen = JSON.parse(answer.body ?? "") as Seen;
      assert.deepEqual(
        Object.keys(seen.headers).filter((name) => /token/.test(name)),
        [],
      );
      assert.doesNotMatch(JSON.stringify(answer), /eyJ/);
    });
  });

  describe("rotation", () => {
    after(restore);

    it("a new token is presented within seconds, and no call fails", async () => {
      const { console, blocks } = lab().sidecars;
      const seen = await underLoad(async () => {
        for (const pod of ["console-second", "console-third"]) {
          console.mountToken(issue({ pod }));
          await until("it is presented", () =>
            Promise.resolve(blocks.records.some(({ callerInstance }) => callerInstance === pod)),
          );
        }
      });
      onlyAnswered(seen, "tokens changed twice");
    });

    it("a TCP connection takes the token of its time", async () => {
      const { router, blocks } = lab().sidecars;
      const pod = "router-second";
      router.mountToken(lab().issuer.issue(services.router, { pod }));
      await until("it is presented", async () => {
        const sent = { host: BLOCKS, port: 8333, text: "hello", waitMs: 200 };
        assert.deepEqual(await lab().host("router").call("exchange", sent), { body: `${BANNER}hello` });
        return blocks.records.some((one) => one.port === "peer" && one.callerInstance === pod);
      });
    });

    it("keys change with an overlap, by the file alone, and no call fails", async () => {
      const { blocks, console } = lab().sidecars;
      const { issuer } = lab();
      const before = issue();
      const seen = await underLoad(async () => {
        issuer.rotate();
        const after = issue({ pod: "console-new-key" });
        assert.equal(await status(after), 401, "the new key is not known yet");
        blocks.mountKeys(issuer.published);
        await until("both keys are known", async () => (await status(after)) === 200);
        assert.equal(await status(before), 200);
        console.mountToken(after);
        await until("the new token is presented", () =>
          Promise.resolve(blocks.records.some(({ callerInstance }) => callerInstance === "console-new-key")),
        );
        issuer.forgetOldKeys();
        blocks.mountKeys(issuer.published);
        await until("the old key is forgotten, remembered tokens with it", async () => (await status(before)) === 401);
        assert.equal(await status(after), 200);
      });
      onlyAnswered(seen, "keys changed");
      assert.equal(await blocks.stat("listener_manager.lds.update_rejected"), 0);
    });

    it("with no keys mirrored nobody is believed, and calls return with them", async () => {
      const { blocks } = lab().sidecars;
      assert.equal((await call()).status, 200);
      blocks.mountKeys();
      await until("it is refused", async () => (await call()).status === 401);
      blocks.mountKeys(lab().issuer.published);
      await until("it is let in", async () => (await call()).status === 200);
    });

    it("a file of keys that Envoy can't use is rejected, counted, and what ran goes on", async () => {
      const { blocks } = lab().sidecars;
      const rejected = () => blocks.stat("extension_config_discovery.http_filter.identity-token.update_rejected");
      const before = await rejected();
      blocks.mountKeys({ ...lab().issuer.published, jwks: '{"keys":[]}' });
      await until("it is rejected", async () => (await rejected()) > before);
      assert.equal((await call()).status, 200);
      blocks.mountKeys(lab().issuer.published);
    });

    it("a sidecar that starts before the keys are there serves as soon as they are", async () => {
      const { prometheus } = lab().sidecars;
      const query = async () => {
        const target = { host: services.prometheus.hostname, port: 80, path: "/" };
        return (await lab().host("console").call("request", target)).status;
      };
      prometheus.mountKeys();
      await prometheus.stop();
      await prometheus.start();
      await until("it refuses, for it believes nobody", async () => (await query()) === 401);
      assert.equal(await prometheus.stat("listener_manager.lds.update_rejected"), 0);
      prometheus.mountKeys(lab().issuer.published);
      await until("it is let in", async () => (await query()) === 200);
    });

    it("a sidecar without a token makes no call at all", async () => {
      const { console, blocks } = lab().sidecars;
      console.mountToken("");
      await until("its own sidecar refuses", async () => (await call()).status === 401);
      const asked = () => blocks.stat("http.inbound|http|ops.downstream_rq_total");
      const before = await asked();
      const headers = { [IDENTITY_TOKEN.header]: issue() };
      const answer = await lab().host("console").call("request", { host: BLOCKS, port: 80, path: "/height", headers });
      assert.equal(answer.status, 401, "a token of the application's own is no way out");
      assert.equal(await asked(), before, "the callee never saw it");
      console.mountToken(issue());
      await until("it calls again", async () => (await call()).status === 200);
    });
  });
}

function pick({ status, body }: Answer): [number | undefined, string | undefined] {
  return [status, body];
}

/** A token whose claims were altered after it was signed. */
function changed(original: string): string {
  const [head = "", payload = "", signature = ""] = original.split(".");
  const claims = Buffer.from(payload, "base64url").toString().replace("console-0", "console-9");
  return [head, Buffer.from(claims).toString("base64url"), signature].join(".");
}
