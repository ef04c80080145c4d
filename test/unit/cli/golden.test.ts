import assert from "node:assert/strict";
import { explain } from "../../../cli/access/explain";
import { explanationText } from "../../../cli/access/explain-text";
import { accessRows } from "../../../cli/access/list";
import { requestOf, type RequestOptions } from "../../../cli/access/request";
import type { Mesh } from "../../../mesh";
import { authenticatedMesh, ISSUER, PUBLIC_KEYS } from "../envoy/authenticated";
import { everyProtocol } from "../envoy/fixture";
import { REASON, revokedMesh } from "../envoy/revoked";
import { versionsMesh } from "../envoy/versions-fixture";
import { enforced, placeOf } from "./fixture";
import { GoldenWorld } from "./golden-world";

const NOW = new Date("2026-12-01T12:00:00.000Z");
type Options = RequestOptions & { readonly port?: string };

/** What `access explain` says of a call in a world, layer by layer. */
function explained(world: GoldenWorld | ReturnType<typeof enforced>, from: string, to: string, options: Options = {}) {
  const { port } = options;
  return explain(world, placeOf, {
    from,
    to,
    ...(port === undefined ? {} : { port }),
    request: requestOf(options, NOW),
  });
}
const verdicts = (...asked: Parameters<typeof explained>) =>
  explained(...asked).layers.map(
    ({ layer, allowed, asks }) => `${layer} ${allowed ? (asks ? "asks" : "allows") : "refuses"}`,
  );

describe("`mesh access explain`, given the kept files of sidecars", () => {
  describe("with end users and an authenticator", () => {
    const world = new GoldenWorld(authenticatedMesh(), "authenticated");
    const OPEN = ["name allows", "NetworkPolicy allows", "TLS allows", "token asks", "authorization allows"];

    it("names every layer that a request meets, in their order", () => {
      const all = { port: "http", method: "GET", path: "/orders" };
      assert.deepEqual(verdicts(world, "storefront", "portal", all), [...OPEN, "end user asks", "authentication asks"]);
      assert.deepEqual(verdicts(world, "storefront", "portal", { port: "grpc" }), [...OPEN, "end user asks"]);
      assert.deepEqual(verdicts(world, "storefront", "portal", { port: "open" }), [...OPEN, "authentication asks"]);
      assert.deepEqual(verdicts(world, "storefront", "portal", { port: "peer" }), [...OPEN, "authentication asks"]);
      assert.deepEqual(verdicts(world, "portal", "ledger"), OPEN);
    });

    const needs: readonly [what: string, options: Options, says: RegExp][] = [
      [
        "a path",
        { method: "GET", path: "/orders" },
        /^asks for an end user's token of https:\/\/login\.lucid\.internal for portal$/,
      ],
      ["an open path", { method: "GET", path: "/login" }, /^asks nothing of this request$/],
      ["what is below an open path", { method: "GET", path: "/static/a.css" }, /^asks nothing/],
      ["what only begins like one", { method: "GET", path: "/loginx" }, /^asks for/],
      ["an open path, whatever the method", { path: "/login" }, /^asks nothing/],
      ["nothing", {}, /^asks some requests for/],
      ["a method", { method: "GET" }, /^asks some requests for/],
    ];
    for (const [what, options, says] of needs) {
      it(`tells whether ${what} needs an end user's token, and which line says so`, () => {
        const { layers } = explained(world, "storefront", "portal", { port: "http", ...options });
        const found = layers.find(({ layer }) => layer === "end user") ?? assert.fail();
        assert.match(found.says, says);
        assert.equal(found.place, "services.portal.ports[0].endUsers");
      });
    }

    it("names the line by which the authenticator is asked", () => {
      const found = explained(world, "storefront", "portal", { port: "open" }).layers.at(-1);
      assert.deepEqual([found?.layer, found?.place], ["authentication", "authentication"]);
      assert.match(found?.says ?? "", /^asks verdict about the caller/);
    });

    it("prints it for people, each with its line", () => {
      const text = explanationText(explained(world, "storefront", "portal", { port: "http", path: "/orders" }));
      assert.match(text, /^ {2}token +asks +asked of each request/m);
      assert.match(
        text,
        new RegExp(
          `^ {2}end user +asks +asks for .* of ${ISSUER} .*\\(services\\.portal\\.ports\\[0\\]\\.endUsers\\)$`,
          "m",
        ),
      );
      assert.match(text, /^ {2}authentication +asks +asks verdict .*\(authentication\)$/m);
    });

    it("refuses who isn't declared before any of that is asked", () => {
      assert.deepEqual(verdicts(world, "verdict", "portal", { port: "http" }), [
        "name refuses",
        "NetworkPolicy refuses",
        "TLS refuses",
        "authorization refuses",
      ]);
    });
  });

  it("refuses where the authenticator is revoked, by the line that revokes it", () => {
    const world = enforced(authenticatedMesh(PUBLIC_KEYS, { verdict: REASON }));
    const { allowed, layers, document } = explained(world, "storefront", "portal", { port: "open" });
    assert.equal(allowed, false);
    assert.deepEqual(
      layers.filter((layer) => !layer.allowed).map(({ layer }) => layer),
      ["authentication"],
    );
    assert.equal(document.place, "services.verdict.revoked");
    assert.match(document.says, /portal has to ask verdict about each request, and has no way to it/);
    assert.equal(explained(world, "portal", "ledger").allowed, true);
  });

  it("refuses a revoked service's calls, by the line that revokes it", () => {
    const world = new GoldenWorld(revokedMesh("payout-router"), "revoked");
    const { document, layers } = explained(world, "admin-ui", "payout-router");
    assert.equal(document.place, "services.payout-router.revoked");
    assert.ok(layers.every(({ allowed }) => !allowed));
    assert.equal(explained(world, "admin-ui", "lucid-blocks").allowed, true);
  });

  const meshes: readonly [golden: string, mesh: Mesh][] = [
    ["authenticated", authenticatedMesh()],
    ["every-protocol", everyProtocol],
    ["versions", versionsMesh()],
    ["lucid", revokedMesh()],
    ["revoked", revokedMesh("payout-router")],
  ];
  for (const [golden, mesh] of meshes) {
    it(`agrees with the document on every pair and port: ${golden}`, () => {
      const world = new GoldenWorld(mesh, golden);
      const edges = new Set(mesh.edges.map(({ from, to, port }) => `${from} ${to} ${port}`));
      for (const from of mesh.services) {
        for (const to of mesh.services.filter((other) => other !== from)) {
          for (const { name: port } of to.ports) {
            // What a sidecar asks the authenticator has no name in the pod: the application can't ask.
            const question = mesh.edges.some(
              (edge) =>
                edge.kind === "authentication" && edge.from === from.name && edge.port === port && edge.to === to.name,
            );
            const { allowed, layers } = explained(world, from.name, to.name, { port });
            const declared = edges.has(`${from.name} ${to.name} ${port}`);
            assert.equal(allowed, declared && !question, `${from.name} ${to.name} ${port}`);
            assert.ok(!allowed || layers.some(({ layer, asks }) => layer === "token" && asks === true));
          }
        }
      }
    });

    it(`lists exactly the permissions of the kept files: ${golden}`, () => {
      const rows = accessRows(new GoldenWorld(mesh, golden), placeOf, NOW.toISOString());
      assert.deepEqual(rows, accessRows(enforced(mesh), placeOf, NOW.toISOString()));
    });
  }
});
