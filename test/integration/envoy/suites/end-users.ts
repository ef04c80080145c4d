import * as assert from "node:assert/strict";
import type { Answer } from "../answer";
import type { AuthenticatedLab } from "../authenticated-lab";
import type { Seen } from "../servers";
import { until } from "../sidecar";
import { Issuer, now } from "../tokens";

const PORTAL = "portal.lucid.internal";
const CLAIMS = "x-end-user-claims";

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Tokens of end users at a port that wants them: good ones are let in, and each bad one differs from a good one in one thing. */
export function endUsers(lab: () => AuthenticatedLab): void {
  const ask = (token: string | undefined, { path = "/", method = "GET", headers = {} }: Asked = {}): Promise<Answer> =>
    lab()
      .host("storefront")
      .call("request", {
        host: PORTAL,
        port: 80,
        path,
        method,
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      });
  const statusOf = async (token: string | undefined, asked?: Asked) => (await ask(token, asked)).status;
  const seenBy = async (token: string | undefined, asked?: Asked): Promise<Seen> =>
    JSON.parse((await ask(token, asked)).body ?? "") as Seen;
  const token = (claims: Record<string, unknown> = {}, signed = {}) => lab().issuer.token(claims, signed);
  const claimsOf = (seen: Seen) =>
    JSON.parse(Buffer.from(seen.headers[CLAIMS] ?? "", "base64url").toString()) as Record<string, unknown>;

  describe("a token of an end user", () => {
    it("is accepted with either of the issuer's keys (what follows differs from this in one thing each)", async () => {
      assert.equal(await statusOf(token()), 200);
      assert.equal(await statusOf(token({}, { alg: "RS256" })), 200);
    });

    it("is refused where it is missing, and is looked for in its own place only", async () => {
      assert.equal(await statusOf(undefined), 401);
      assert.equal(await statusOf(undefined, { path: `/?access_token=${token()}` }), 401);
      assert.equal(await statusOf(undefined, { headers: { cookie: `session=${token()}` } }), 401);
      assert.equal(await statusOf(undefined, { headers: { authorization: token() } }), 401);
    });

    const wrong: readonly [title: string, claims: () => Record<string, unknown>, status: number][] = [
      ["expired", () => ({ exp: now() - 120 }), 401],
      ["without an end", () => ({ exp: undefined }), 401],
      ["not yet valid", () => ({ nbf: now() + 120 }), 401],
      ["of another issuer", () => ({ iss: "https://login.example.org" }), 401],
      ["without an issuer", () => ({ iss: undefined }), 401],
      ["for another audience", () => ({ aud: "ledger" }), 403],
      ["for a list of other audiences", () => ({ aud: ["ledger", "portal2"] }), 403],
      ["without an audience", () => ({ aud: undefined }), 403],
    ];
    for (const [title, claims, status] of wrong) {
      it(`is refused ${title}`, async () => {
        assert.equal(await statusOf(token(claims())), status);
      });
    }

    it("is accepted for a list of audiences with this one", async () => {
      assert.equal(await statusOf(token({ aud: ["ledger", "portal"] })), 200);
    });

    it("is refused with another issuer's signature, with a changed payload, and with none", async () => {
      const other = new Issuer(() => ({}));
      const [header, payload, signature] = token().split(".");
      const [, stronger] = token({ sub: "mallory" }).split(".");
      const forged = (alg: "ES256" | "RS256") =>
        other.token({ iss: "https://login.lucid.internal", aud: "portal", sub: "alice", exp: now() + 60 }, { alg });
      for (const bad of [
        forged("ES256"),
        forged("RS256"),
        [header, stronger, signature].join("."),
        [header, payload, ""].join("."),
        [header, payload].join("."),
        lab().issuer.unprotected(),
        "not-a-token",
      ]) {
        assert.equal(await statusOf(bad), 401, bad);
      }
    });

    it("is refused when a public key was taken for a shared one (HS256)", async () => {
      for (const bad of lab().issuer.confused()) assert.equal(await statusOf(bad), 401);
    });

    it("is refused when it names one key and was signed by the other", async () => {
      assert.equal(await statusOf(token({}, { alg: "RS256", kid: "ES256" })), 401);
      assert.equal(await statusOf(token({}, { alg: "ES256", kid: "unknown" })), 401);
    });

    it("is refused beside a second one", async () => {
      const forged = token({ sub: "mallory", exp: 1 });
      assert.equal(await statusOf(`${token()}, Bearer ${forged}`), 401);
      for (const authorization of [`bearer ${forged}, Bearer ${token()}`, `Bearer: ${forged} Bearer ${token()}`]) {
        assert.ok([401, 403].includes((await statusOf(undefined, { headers: { authorization } })) ?? 0), authorization);
      }
    });

    it("outlives its end by the declared tolerance and no longer, though it was verified and kept before", async () => {
      // Port grpc tolerates one second.
      const exp = now() + 2;
      const short = token({ exp });
      const call = async () =>
        lab()
          .host("storefront")
          .call("callGrpc", { target: `${PORTAL}:81`, metadata: { "x-session": short } });
      assert.notEqual((await call()).text, undefined);
      assert.notEqual((await call()).text, undefined);
      await until("the token is refused", async () => (await call()).code === 16);
      assert.ok(now() > exp);
    });
  });

  describe("claims", () => {
    it("of the port are asked everywhere: a truth value, or its text, or a list with it", async () => {
      for (const good of [true, "true", ["true"]]) assert.equal(await statusOf(token({ email_verified: good })), 200);
      for (const bad of [false, "True", 1, undefined, null, ["false"], { true: true }]) {
        assert.equal(await statusOf(token({ email_verified: bad })), 403, JSON.stringify(bad));
      }
    });

    it("of a rule are asked on its paths, inside an object, as text or list", async () => {
      const path = "/admin/users";
      for (const roles of ["admin", "owner", ["reader", "admin"]]) {
        assert.equal(await statusOf(token({ access: { roles } }), { path }), 200, JSON.stringify(roles));
      }
      for (const roles of ["reader", "administrator", ["reader"], [], undefined]) {
        assert.equal(await statusOf(token({ access: { roles } }), { path }), 403, JSON.stringify(roles));
      }
      assert.equal(await statusOf(token({ roles: ["admin"] }), { path }), 403, "not inside 'access'");
      assert.equal(await statusOf(token({ access: { roles: "admin" }, email_verified: false }), { path }), 403);
    });

    it("are asked of the path as the application reads it", async () => {
      for (const path of ["/admin/../admin/users", "//admin//users", "/x/../admin/users", "/login/../admin/users"]) {
        assert.equal(await statusOf(token(), { path }), 403, path);
        assert.equal(await statusOf(undefined, { path }), 401, path);
      }
    });

    it("of a method are asked for that method; `scope` is a list in one text", async () => {
      assert.equal(await statusOf(token({ scope: "read write" }), { method: "POST" }), 200);
      assert.equal(await statusOf(token({ scope: "read" }), { method: "POST" }), 403);
      assert.equal(await statusOf(token({ scope: "writer" }), { method: "DELETE" }), 403);
      assert.equal(await statusOf(token({ scope: "read" }), { method: "PUT" }), 200);
    });

    it("are those of the first rule that fits", async () => {
      assert.equal(await statusOf(token(), { path: "/admin/ping" }), 200);
      assert.equal(await statusOf(token(), { path: "/admin/ping", method: "POST" }), 200);
      assert.equal(
        await statusOf(token({ access: { roles: "admin" } }), { path: "/admin/users", method: "POST" }),
        200,
      );
    });
  });

  describe("without a token", () => {
    it("only the paths that need none are open, and a bad token does no harm there", async () => {
      assert.equal(await statusOf(undefined, { path: "/login" }), 200);
      assert.equal(await statusOf(undefined, { path: "/static/style.css" }), 200);
      assert.equal(await statusOf(token({ exp: 1 }), { path: "/login" }), 200);
      for (const path of ["/login/", "/login2", "/static", "/x/../admin/ping", "/"]) {
        assert.equal(await statusOf(undefined, { path }), 401, path);
      }
    });

    it("a browser may ask whether it may (preflight), and nothing else by that way", async () => {
      const preflight = { origin: "https://a.example", "access-control-request-method": "POST" };
      assert.equal(await statusOf(undefined, { method: "OPTIONS", headers: preflight }), 200);
      assert.equal(await statusOf(undefined, { method: "OPTIONS" }), 401);
      assert.equal(await statusOf(undefined, { method: "POST", headers: preflight }), 401);
    });

    it("kubelet asks for the application's health", async () => {
      const { stranger } = lab();
      const probe = { host: lab().host("portal").address, port: 15021, path: "/health" };
      assert.equal((await stranger.call("request", probe)).status, 200);
    });
  });

  describe("what the application learns", () => {
    it("the token as it came and the verified claims, and no claims that the request brought", async () => {
      const good = token({ sub: "bob" });
      const forged = { [CLAIMS]: Buffer.from('{"sub":"root"}').toString("base64url") };
      const seen = await seenBy(good, { headers: forged });
      assert.equal(seen.headers.authorization, `Bearer ${good}`);
      assert.equal(claimsOf(seen).sub, "bob");
      assert.equal((await seenBy(undefined, { path: "/login", headers: forged })).headers[CLAIMS], undefined);
    });

    it("no token where it is not to be forwarded", async () => {
      const call = (metadata: Record<string, string>) =>
        lab()
          .host("storefront")
          .call("callGrpc", { target: `${PORTAL}:81`, method: "Secret", metadata });
      assert.match((await call({ "x-session": token() })).text ?? "", /storefront$/);
      assert.equal((await call({})).code, 16);
      assert.equal((await call({ authorization: `Bearer ${token()}` })).code, 16);
    });

    it("a WebSocket opens with the token in a cookie, and not without", async () => {
      const open = (headers: Record<string, string>) =>
        lab().host("storefront").call("websocket", { host: PORTAL, port: 8090, text: "hello", headers });
      assert.deepEqual(await open({ cookie: `a=b; session=${token()}` }), { status: 101, body: "hello" });
      assert.equal((await open({})).status, 401);
      const forged = token({ exp: 1 });
      for (const two of [`session=${token()}; session=${forged}`, `a=b;session =${forged};session=${token()}; c=d`]) {
        assert.ok([401, 403].includes((await open({ cookie: two })).status ?? 0), two);
      }
      assert.equal((await open({ cookie: `xsession=${forged}; session=${token()}; session2=${forged}` })).status, 101);
      assert.equal((await open({ cookie: `session=${token({ exp: 1 })}` })).status, 401);
    });
  });

  describe("the access log", () => {
    it("says who came and by which rule, or why he was refused", async () => {
      const marks = ["/log/good", "/log/missing", "/log/expired", "/log/claim"];
      await ask(token({ sub: "carol" }), { path: marks[0] });
      await ask(undefined, { path: marks[1] });
      await ask(token({ exp: 1 }), { path: marks[2] });
      await ask(token({ sub: "dave", email_verified: false }), { path: marks[3] });
      const find = (path: string | undefined) => lab().sidecars.portal.records.find((record) => record.path === path);
      await until("all are logged", () => Promise.resolve(marks.every((path) => find(path) !== undefined)));
      const told = marks.map((path) => {
        const { status, endUser, endUserRule, endUserVerdict, details, caller } = find(path) ?? {};
        assert.equal(caller, lab().service("storefront").identity);
        return [status, endUser, endUserVerdict, endUserRule, details];
      });
      assert.deepEqual(told, [
        [200, "carol", "allowed", "others", "via_upstream"],
        [401, null, null, null, "jwt_authn_access_denied{Jwt_is_missing}"],
        [401, null, null, null, "jwt_authn_access_denied{Jwt_is_expired}"],
        [403, "dave", "denied", null, "rbac_access_denied_matched_policy[none]"],
      ]);
    });
  });
}
