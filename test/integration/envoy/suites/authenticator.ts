import * as assert from "node:assert/strict";
import { serverName } from "../../../../mesh/wire";
import { authenticatedMesh } from "../../../unit/envoy/authenticated";
import type { Answer } from "../answer";
import { fingerprint, type AuthenticatedLab } from "../authenticated-lab";
import { BANNER } from "../mesh-lab";
import type { Leaf } from "../pki";
import type { Seen } from "../servers";
import { until } from "../sidecar";
import type { Question, Verdict } from "../verdicts";

const PORTAL = "portal.lucid.internal";

/** The question about a caller: a clear yes lets a request in, and nothing else does. Port `open` asks and has no end users. */
export function authenticator(lab: () => AuthenticatedLab): void {
  const get = (path = "/", headers: Record<string, string> = {}): Promise<Answer> =>
    lab().host("storefront").call("request", { host: PORTAL, port: 82, path, headers });
  const decide = (verdict: Verdict) => lab().host("verdict").call("setVerdict", verdict);
  const questions = () => lab().host("verdict").call("askedQuestions");
  const questionAbout = async (path: string): Promise<Question> => {
    const found = (await questions()).find((question) => question.path === path);
    return found ?? assert.fail(`nobody asked about ${path}`);
  };
  const knock = (leaf: Leaf): Promise<Answer> =>
    lab().stranger.call("requestTls", {
      host: lab().host("portal").address,
      port: 15001,
      serverName: serverName("open", "portal", "ops"),
      path: "/",
      ...leaf,
    });

  describe("the question about a caller", () => {
    afterEach(async () => {
      await decide({});
    });

    it("is answered yes, and the call goes on (what follows differs from this in one thing each)", async () => {
      assert.equal((await get("/asked?with=query")).status, 200);
      const question = await questionAbout("/asked?with=query");
      assert.equal(question.caller, lab().service("storefront").identity);
      assert.equal(question.callee, lab().service("portal").identity);
      assert.equal(question.certificate, fingerprint(lab().leaves.storefront));
      assert.equal(question.serverName, "open.portal.ops");
      assert.equal(question.method, "GET");
      assert.equal(question.body, "");
    });

    it("shows the headers that are declared and no others, and no name that the caller gave itself", async () => {
      await get("/shown", {
        "x-shown": "yes",
        authorization: "Bearer secret",
        cookie: "a=secret",
        "x-forwarded-client-cert": "URI=spiffe://forged",
        "x-envoy-downstream-service-cluster": "forged",
        "x-request-id": "mine",
      });
      const { headers, claimedService } = await questionAbout("/shown");
      assert.deepEqual(headers, { "x-request-id": "mine", "x-shown": "yes" });
      assert.equal(claimedService, "");
    });

    it("is answered no for one caller: 403, and the application hears nothing", async () => {
      await decide({ callers: [lab().service("storefront").identity] });
      assert.equal((await get("/denied")).status, 403);
      await decide({ callers: [lab().service("ledger").identity] });
      assert.equal((await get()).status, 200);
    });

    it("is answered no for one certificate, while another of the same service is let in", async () => {
      const compromised = await lab().another("storefront");
      assert.equal((await knock(compromised)).status, 200);
      await decide({ certificates: [fingerprint(compromised)] });
      assert.equal((await knock(compromised)).status, 403);
      assert.equal((await knock(lab().leaves.storefront)).status, 200);
      assert.equal((await get()).status, 200);
    });

    it("is asked anew for each request: a caller is refused on the connection that it has", async () => {
      const calling = lab()
        .host("storefront")
        .call("requestKeptAlive", { host: PORTAL, port: 82, path: "/kept", everyMs: 50, forMs: 3000 });
      await until("it calls", async () => (await questions()).some((question) => question.path === "/kept"));
      await decide({ certificates: [fingerprint(lab().leaves.storefront)] });
      const { statuses, connections } = await calling;
      assert.equal(connections, 1);
      const firstRefusal = statuses.indexOf(403);
      assert.ok(firstRefusal > 0, statuses.join());
      assert.deepEqual([...new Set(statuses.slice(0, firstRefusal))], [200]);
      assert.deepEqual([...new Set(statuses.slice(firstRefusal))], [403]);
    });

    it("is answered by nobody while the authenticator is revoked: 503, and nobody is asked", async () => {
      const { portal } = lab().sidecars;
      assert.equal((await get("/before")).status, 200);
      portal.mountConfig(authenticatedMesh(lab().issuer.jwks, { verdict: "its answers were bought" }));
      try {
        await until("it is refused", async () => (await get("/revoking")).status === 503);
        const asked = (await questions()).length;
        for (let call = 0; call < 5; call++) assert.equal((await get("/unanswered")).status, 503);
        assert.equal((await questions()).length, asked);
      } finally {
        portal.mountConfig(lab().mesh);
      }
      await until("it answers again", async () => (await get("/back")).status === 200);
      const drained = async () => (await portal.stat("listener_manager.total_filter_chains_draining")) === 0;
      await until("nothing drains any more", drained);
    });

    it("is no yes when the answer is slow: 503 after the declared time", async () => {
      await decide({ delayMs: 2000 });
      const before = Date.now();
      assert.equal((await get()).status, 503);
      const waited = Date.now() - before;
      assert.ok(waited >= 290 && waited < 1500, `${String(waited)} ms`);
    });

    it("is no yes when the answer is an error: 503", async () => {
      await decide({ fails: true });
      assert.equal((await get()).status, 503);
    });

    it("is no yes when the answer would change the request: refused, or without effect", async () => {
      for (const name of ["x-forwarded-client-cert", "authorization", "x-end-user-claims", "x-other"]) {
        await decide({ headers: { [name]: "URI=spiffe://forged" } });
        assert.equal((await get()).status, 500, name);
      }
      await decide({ metadata: { "envoy.filters.http.jwt_authn": "forged" } });
      const { status, body } = await get();
      assert.equal(status, 200);
      assert.doesNotMatch(JSON.stringify(JSON.parse(body ?? "") as Seen), /forged/);
    });

    it("stands before a TCP connection too, which gets no word of the application", async () => {
      const sent = { host: PORTAL, port: 8333, text: "hello", waitMs: 700 };
      assert.equal((await lab().host("storefront").call("exchange", sent)).body, `${BANNER}hello`);
      await decide({ callers: [lab().service("storefront").identity] });
      assert.equal((await lab().host("storefront").call("exchange", sent)).body, "");
    });

    it("is not asked where the port says so, and not before the end user is known", async () => {
      await decide({ callers: [lab().service("storefront").identity] });
      const token = lab().issuer.token();
      const grpc = { target: `${PORTAL}:81`, metadata: { "x-session": token } };
      assert.match((await lab().host("storefront").call("callGrpc", grpc)).text ?? "", /storefront$/);
      const ask = (path: string, headers: Record<string, string>) =>
        lab().host("storefront").call("request", { host: PORTAL, port: 80, path, headers });
      assert.equal((await ask("/unknown-user", {})).status, 401);
      assert.equal((await ask("/known-user", { authorization: `Bearer ${token}` })).status, 403);
      const paths = (await questions()).map((question) => question.path);
      assert.ok(paths.includes("/known-user") && !paths.includes("/unknown-user"));
    });

    it("stands in the access log: how long it took, and what came of it", async () => {
      await get("/log/yes");
      await decide({ callers: [lab().service("storefront").identity] });
      await get("/log/no");
      await decide({ fails: true });
      await get("/log/error");
      const find = (path: string) => lab().sidecars.portal.records.find((record) => record.path === path);
      const marks = ["/log/yes", "/log/no", "/log/error"];
      await until("all are logged", () => Promise.resolve(marks.every((path) => find(path) !== undefined)));
      const told = marks.map((path) => {
        const { status, details, flags, authenticatorMicros } = find(path) ?? {};
        assert.ok(Number(authenticatorMicros) > 0, String(authenticatorMicros));
        return [status, details, flags];
      });
      assert.deepEqual(told, [
        [200, "via_upstream", "-"],
        [403, "ext_authz_denied", "UAEX"],
        [503, "ext_authz_error", "UAEX"],
      ]);
    });

    it("goes the sidecar's own way: the application can't ask, not by name and not by address", async () => {
      const portal = lab().host("portal");
      assert.equal(await portal.call("resolveName", { name: "verdict.lucid.internal", type: "A" }), "ENOTFOUND");
      const { address } = lab().service("verdict");
      const asked = await portal.call("request", { host: address, port: 81, path: "/" });
      assert.match(asked.refused ?? "answered", /ECONNREFUSED/);
    });

    it("is an ordinary call for who answers: identity, path, and nothing else", async () => {
      const records = lab().sidecars.verdict.records.filter((record) => record.kind === "call");
      assert.ok(records.length > 0);
      for (const { caller, path, port } of records) {
        assert.deepEqual(
          [caller, path, port],
          [lab().service("portal").identity, "/envoy.service.auth.v3.Authorization/Check", "grpc"],
        );
      }
      const asPortal = (path: string) =>
        lab().stranger.call("requestTls", {
          host: lab().host("verdict").address,
          port: 15001,
          serverName: serverName("grpc", "verdict", "ops"),
          method: "POST",
          path,
          ...lab().leaves.portal,
        });
      assert.equal((await asPortal("/envoy.service.auth.v3.Authorization/Other")).status, 403);
      // The application's own answer: what came was no gRPC.
      assert.equal((await asPortal("/envoy.service.auth.v3.Authorization/Check")).status, 415);
    });

    it("is no yes when nobody answers: 503, and the calls go on when somebody does again", async () => {
      await lab().host("verdict").call("stopVerdicts");
      assert.equal((await get()).status, 503);
      await lab().answerQuestions();
      await until("calls go on", async () => (await get()).status === 200);
      await lab().sidecars.verdict.stop();
      await until("nothing is let in", async () => (await get()).status === 503);
      await lab().sidecars.verdict.start();
      await until("calls go on again", async () => (await get()).status === 200, 30_000);
    });
  });
}
