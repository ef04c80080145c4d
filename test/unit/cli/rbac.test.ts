import assert from "node:assert/strict";
import { judge, NotModelled, type JudgedRequest } from "../../../cli/enforced/rbac";
import { httpRbac, type Grant } from "../../../envoy/authorization/rbac";
import type { Message } from "../../../envoy/message";

const identity = (name: string) => `spiffe://ops.lucid.internal/ns/lucid-ops/sa/${name}`;
const caller = (name: string) => ({ name, namespace: "lucid-ops", identity: identity(name) });
const SNI = "http.blocks.ops";
const END = "2026-12-31T18:00:00Z";
const grants: readonly Grant[] = [
  { caller: caller("open"), rules: [] },
  {
    caller: caller("narrow"),
    rules: [
      { methods: ["GET", "HEAD"], paths: ["/height", "/blocks/*"] },
      { methods: ["POST"], paths: ["/a.B/C"] },
    ],
  },
  { caller: caller("ending"), rules: [{ methods: ["GET"], paths: [] }], until: END },
];
const filter = httpRbac(SNI, grants).typed_config as Message;
const ask = (name: string, request: Partial<JudgedRequest> = {}) => {
  const judgement = judge(filter, {
    identity: identity(name),
    serverName: SNI,
    time: "2026-12-01T00:00:00Z",
    ...request,
  });
  return judgement.allowed ? `allowed by ${judgement.policy}` : `refused for its ${judgement.because}`;
};

describe("the judgement of a rendered RBAC filter", () => {
  const rows: [caller: string, request: Partial<JudgedRequest>, judgement: string][] = [
    ["open", { method: "DELETE", path: "/any" }, "allowed by open"],
    ["open", { serverName: "http.blocks.wallet" }, "refused for its request"],
    ["stranger", {}, "refused for its caller"],
    ["narrow", {}, "allowed by narrow"],
    ["narrow", { method: "GET" }, "allowed by narrow"],
    ["narrow", { method: "PUT" }, "refused for its request"],
    ["narrow", { method: "GET", path: "/height" }, "allowed by narrow"],
    ["narrow", { method: "GET", path: "/heights" }, "refused for its request"],
    ["narrow", { method: "GET", path: "/blocks/7" }, "allowed by narrow"],
    ["narrow", { method: "GET", path: "/blocks" }, "refused for its request"],
    ["narrow", { method: "POST", path: "/height" }, "refused for its request"],
    ["narrow", { method: "POST", path: "/a.B/C" }, "allowed by narrow"],
    ["narrow", { path: "/a.B/C" }, "allowed by narrow"],
    ["ending", { method: "GET", time: "2026-12-31T17:59:59Z" }, "allowed by ending"],
    ["ending", { method: "GET", time: END }, "refused for its ended"],
    ["ending", { method: "PUT", time: END }, "refused for its request"],
  ];
  for (const [caller, request, judgement] of rows) {
    it(`${caller} ${JSON.stringify(request)}: ${judgement}`, () => {
      assert.equal(ask(caller, request), judgement);
    });
  }

  const policy = (changes: object) => ({
    rules: {
      action: "ALLOW",
      policies: {
        x: {
          permissions: [{ requested_server_name: { exact: SNI } }],
          principals: [{ authenticated: { principal_name: { exact: identity("x") } } }],
          ...changes,
        },
      },
    },
  });
  const judged = (changed: unknown) => judge(changed, { identity: identity("x"), serverName: SNI, time: END });

  it("takes what the token says beside the identity for granted, and never instead of it", () => {
    const token = { metadata: { filter: "envoy.filters.http.jwt_authn" } };
    const with_token = (name: string) => {
      const id = { authenticated: { principal_name: { exact: identity(name) } } };
      return policy({ principals: [{ and_ids: { ids: [id, token] } }] });
    };
    assert.equal(judged(with_token("x")).allowed, true);
    assert.equal(judged(with_token("y")).allowed, false);
  });

  it("asks that the certificate names that identity and no other, which a service's own does", () => {
    const noting = (key: string, exact: string) =>
      policy({ principals: [{ and_ids: { ids: [{ filter_state: { key, string_match: { exact } } }] } }] });
    assert.equal(judged(noting("lucid.peer-uri-sans", identity("x"))).allowed, true);
    assert.equal(judged(noting("lucid.peer-uri-sans", identity("y"))).allowed, false);
    assert.throws(() => judged(noting("another", identity("x"))), NotModelled);
  });

  const unknown: [what: string, filter: unknown][] = [
    ["no rules", {}],
    ["rules that deny", { rules: { action: "DENY", policies: {} } }],
    ["any principal", policy({ principals: [{ any: true }] })],
    ["a negation", policy({ permissions: [{ not_rule: { any: true } }] })],
    ["any permission", policy({ permissions: [{ any: true }] })],
    ["a header", policy({ permissions: [{ header: { name: "x-role", string_match: { exact: "a" } } }] })],
    ["another matcher", policy({ permissions: [{ requested_server_name: { safe_regex: { regex: ".*" } } }] })],
    ["another condition", policy({ condition: { const_expr: { bool_value: false } } })],
  ];
  for (const [what, changed] of unknown) {
    it(`says that it can't judge ${what}, and guesses nothing`, () => {
      assert.throws(() => judged(changed), NotModelled);
    });
  }
});
