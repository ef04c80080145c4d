import assert from "node:assert/strict";
import { explainRecord } from "../../../cli/access/record";
import { CliError } from "../../../cli/exit-status";
import { enforced, exampleMesh, placeOf } from "./fixture";

const world = enforced(exampleMesh());
const ADMIN = "spiffe://ops.lucid.internal/ns/lucid-ops/sa/admin-ui";
const TRON = "spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/tron-payment";
/** A record of the callee, as its sidecar writes it. */
const CALL = {
  kind: "call",
  direction: "inbound",
  service: "lucid-blocks",
  port: "http",
  time: "2026-12-01T12:00:00.123Z",
  flags: "-",
  caller: ADMIN,
  serverName: "http.lucid-blocks.ops",
  method: "GET",
  path: "/height",
  status: 200,
  details: "via_upstream",
  authorization: "allowed",
  policy: "admin-ui",
};
const DENIED = {
  status: 403,
  details: "rbac_access_denied_matched_policy[none]",
  authorization: "denied",
  policy: null,
};
const REFUSED = {
  kind: "refused",
  service: "lucid-blocks",
  time: "2026-12-01T12:00:00.123Z",
  flags: "-",
  claimedCaller: null,
  serverName: "http.lucid-blocks.ops",
  failure: "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED",
};
const OUTBOUND = { ...CALL, direction: "outbound", service: "admin-ui", callee: "lucid-blocks", caller: undefined };

describe("the explanation of a record", () => {
  const rows: [what: string, record: object, refused: boolean, says: RegExp, now: RegExp | undefined][] = [
    ["an allowed request", CALL, false, /let in by the grant of 'admin-ui'; 200/, /^true/],
    ["the application's own refusal", { ...CALL, status: 403 }, false, /403 is the application's own/, /^true/],
    [
      "another path",
      { ...CALL, ...DENIED, path: "/admin" },
      true,
      /by authorization: the sidecar of lucid-blocks/,
      /authorization refuses/,
    ],
    ["another method", { ...CALL, ...DENIED, method: "PUT" }, true, /by authorization/, /authorization refuses/],
    [
      "a request after the end",
      { ...CALL, ...DENIED, port: "grpc", method: "POST", path: "/a.B/C", time: "2027-01-01T00:00:00.000Z" },
      true,
      /by authorization/,
      /authorization refuses: policy 'admin-ui' ended at 2027-01-01T00:00:00Z/,
    ],
    [
      "a refusal that the document no longer makes",
      { ...CALL, ...DENIED },
      true,
      /changed since, or what runs is not this/,
      /^true/,
    ],
    [
      "a token",
      { ...CALL, status: 401, details: "jwt_authn_access_denied{Jwt_is_expired}" },
      true,
      /for its token.*401/,
      /^true/,
    ],
    [
      "an end user's token",
      { ...CALL, status: 401, details: "jwt_authn_access_denied{Jwt_is_missing}", endUser: null, endUserVerdict: null },
      true,
      /for the end user's token/,
      /^true/,
    ],
    [
      "an end user's claims",
      { ...CALL, ...DENIED, authorization: "allowed", policy: "admin-ui", endUser: "ann", endUserVerdict: "denied" },
      true,
      /token of end user 'ann' says/,
      /^true/,
    ],
    [
      "the caller, where end users are asked too",
      { ...CALL, ...DENIED, path: "/admin", endUserVerdict: null },
      true,
      /by authorization/,
      /authorization refuses/,
    ],
    [
      "the service that answers for callers",
      { ...CALL, status: 403, details: "ext_authz_denied" },
      true,
      /answers for callers: answered 403/,
      /^true/,
    ],
    [
      "a path that can't be judged",
      { ...CALL, status: 400, details: "path_normalization_failed" },
      true,
      /can't be judged/,
      /^true/,
    ],
    [
      "no application",
      { ...CALL, status: 503, details: "upstream_reset_before_response_started", flags: "UF" },
      false,
      /flags UF/,
      /^true/,
    ],
    [
      "a foreign certificate",
      { ...REFUSED, claimedCaller: ADMIN },
      true,
      /CERTIFICATE_VERIFY_FAILED.*claims to be admin-ui, which was not proven/,
      /^true/,
    ],
    [
      "an undeclared caller",
      { ...REFUSED, claimedCaller: TRON },
      true,
      /of zone ops, and tron-payment is of wallet/,
      /TLS refuses/,
    ],
    ["no certificate", REFUSED, true, /no certificate with an identity/, undefined],
    [
      "an unknown door",
      { ...REFUSED, flags: "NR", serverName: "http.lucid-blocks.edge", failure: null },
      true,
      /no door 'http\.lucid-blocks\.edge'/,
      undefined,
    ],
    ["no server name", { ...REFUSED, flags: "NR", serverName: null, failure: null }, true, /no server name/, undefined],
    ["the callee's refusal, at the caller", { ...OUTBOUND, status: 403 }, true, /callee's side.*requestId/, /^true/],
    [
      "the callee's TLS, at the caller",
      { ...OUTBOUND, status: 503, details: "x", failure: "TLSV1_ALERT_CERTIFICATE_UNKNOWN" },
      true,
      /by TLS/,
      /^true/,
    ],
    [
      "nobody there, at the caller",
      { ...OUTBOUND, status: 503, details: "no_healthy_upstream" },
      false,
      /at the caller's side/,
      /^true/,
    ],
  ];
  for (const [what, record, refused, says, now] of rows) {
    it(`tells ${what}`, () => {
      const explanation = explainRecord(world, placeOf, JSON.stringify(record));
      assert.equal(explanation.refused, refused);
      assert.match(explanation.says.join(" "), says);
      const layers = (explanation.now?.layers ?? [])
        .filter(({ allowed }) => !allowed)
        .map((layer) => `${layer.layer} refuses: ${layer.says}`);
      if (now === undefined) assert.equal(explanation.now, undefined);
      else assert.match([String(explanation.now?.allowed), ...layers].join(" "), now);
    });
  }

  for (const [what, line] of [
    ["no JSON", "hello"],
    ["a list", "[]"],
    ["another kind", JSON.stringify({ kind: "envoy", level: "info" })],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => explainRecord(world, placeOf, line), CliError);
    });
  }

  it("survives records in which everything is wrong", () => {
    for (const key of Object.keys(CALL).filter((name) => name !== "kind" && name !== "direction")) {
      for (const value of [null, 7, {}, [], "", "x", "spiffe://x"]) {
        explainRecord(world, placeOf, JSON.stringify({ ...CALL, [key]: value }));
        explainRecord(world, placeOf, JSON.stringify({ ...REFUSED, [key]: value }));
      }
    }
  });
});
