import assert from "node:assert/strict";
import fc from "fast-check";
import { explain, type Asked } from "../../../cli/access/explain";
import { requestOf, type RequestOptions } from "../../../cli/access/request";
import { accessRows, rowsText } from "../../../cli/access/list";
import { rulesText } from "../../../cli/access/rules-text";
import { CliError } from "../../../cli/exit-status";
import type { Mesh } from "../../../mesh";
import { jobsMesh } from "../envoy/jobs-fixture";
import { REASON, revokedMesh } from "../envoy/revoked";
import { enforced, exampleMesh, placeOf } from "./fixture";

const NOW = new Date("2026-12-01T12:00:00.000Z");
const mesh = exampleMesh();
const world = enforced(mesh);
const asks = (from: string, to: string, options: RequestOptions & { port?: string } = {}): Asked => ({
  from,
  to,
  ...(options.port === undefined ? {} : { port: options.port }),
  request: requestOf(options, NOW),
});
const answer = (asked: Asked, on = world) => {
  const { allowed, layers, port } = explain(on, placeOf, asked);
  const refusing = layers.filter((layer) => !layer.allowed).map(({ layer }) => layer);
  assert.equal(allowed, refusing.length === 0);
  return `${port}: ${refusing.length === 0 ? "allowed" : refusing.join(" ")}`;
};

describe("the explanation of a call", () => {
  const EVERY = "name NetworkPolicy TLS authorization";
  const rows: [from: string, to: string, options: RequestOptions & { port?: string }, answer: string][] = [
    ["admin-ui", "lucid-blocks", {}, "http: allowed"],
    ["admin-ui", "lucid-blocks", { method: "get", path: "/height?unit=block" }, "http: allowed"],
    ["admin-ui", "lucid-blocks", { method: "GET", path: "//blocks///7" }, "http: allowed"],
    ["admin-ui", "lucid-blocks", { method: "GET", path: "/blocks/../admin" }, "http: authorization"],
    ["admin-ui", "lucid-blocks", { method: "GET", path: "/blocks/%2e%2e/admin" }, "http: authorization"],
    ["admin-ui", "lucid-blocks", { method: "GET", path: "/blocks/..%2fadmin" }, "http: authorization"],
    ["admin-ui", "lucid-blocks", { method: "POST", path: "/height" }, "http: authorization"],
    ["admin-ui", "lucid-blocks", { grpc: "a.B/C" }, "grpc: allowed"],
    ["admin-ui", "lucid-blocks", { grpc: "a.B/D" }, "grpc: authorization"],
    ["admin-ui", "lucid-blocks", { grpc: "grpc.health.v1.Health/Watch" }, "grpc: allowed"],
    [
      "admin-ui",
      "lucid-blocks",
      { grpc: "grpc.reflection.v1.ServerReflection/ServerReflectionInfo" },
      "grpc: authorization",
    ],
    ["admin-ui", "lucid-blocks", { grpc: "a.B/C", at: "2026-12-31T23:59:59Z" }, "grpc: allowed"],
    ["admin-ui", "lucid-blocks", { grpc: "a.B/C", at: "2027-01-01T00:00:00Z" }, "grpc: authorization"],
    ["admin-ui", "lucid-blocks", { port: "peers" }, "peers: allowed"],
    // Pods are let through by the network and by the name for any port; TLS knows the port.
    ["admin-ui", "lucid-blocks", { port: "events" }, "events: name TLS authorization"],
    ["tron-payment", "lucid-blocks", {}, `http: ${EVERY}`],
    ["lucid-blocks", "admin-ui", {}, `http: ${EVERY}`],
    ["tron-payment", "jaeger", { port: "otlp" }, "otlp: allowed"],
    ["tron-payment", "jaeger", { port: "query" }, "query: name TLS authorization"],
  ];
  it("of a job's own call is that of any other, and there is none of a call to a job", () => {
    const jobs = enforced(jobsMesh());
    const asked = (to: string, from = "nightly") => asks(from, to);
    assert.equal(answer(asked("ledger"), jobs), "http: allowed");
    assert.equal(answer(asked("lucid-blocks"), jobs), "http: allowed");
    assert.equal(answer(asked("lucid-blocks", "migration"), jobs), `http: ${EVERY}`);
    assert.throws(() => answer(asked("migration"), jobs), /--to: 'migration' is a job: it has no port/);
    const rows = accessRows(jobs, placeOf, NOW.toISOString(), "nightly");
    assert.deepEqual(
      rows.map(({ from, to, kind }) => `${from} ${kind} ${to}`),
      ["mesh-controller inspection nightly", "nightly call ledger", "nightly call lucid-blocks"],
    );
  });

  for (const [from, to, options, expected] of rows) {
    it(`${from} → ${to} ${JSON.stringify(options)} is ${expected}`, () => {
      assert.equal(answer(asks(from, to, options)), expected);
    });
  }

  it("names the line of the document, the reason and what to change", () => {
    const of = (options: RequestOptions & { port?: string }) =>
      explain(world, placeOf, asks("admin-ui", "lucid-blocks", options));
    const wrongPath = of({ method: "GET", path: "/heigth" });
    assert.deepEqual(wrongPath.document, {
      place: "services.admin-ui.calls[0].paths",
      says: "services.admin-ui.calls[0] allows GET /blocks/*, /height",
    });
    assert.equal(wrongPath.reason, "Operators watch");
    assert.deepEqual(wrongPath.hints, ["did you mean /height?"]);
    const ended = of({ grpc: "a.B/C", at: "2027-01-01T00:00:00Z" });
    assert.equal(ended.document.place, "services.admin-ui.calls[1].until");
    assert.match(ended.hints.join(), /name, NetworkPolicy, TLS stay open until the next `pulumi up`/);
    const otherPort = of({ port: "events" });
    assert.equal(otherPort.document.place, "services.admin-ui.calls");
    assert.match(
      otherPort.hints.join(),
      /nearest to it: admin-ui → lucid-blocks port grpc \(services\.admin-ui\.calls\[1\]\)/,
    );
    const backwards = explain(world, placeOf, asks("lucid-blocks", "admin-ui"));
    assert.match(backwards.hints.join(), /the other way round: admin-ui → lucid-blocks/);
  });

  it("refuses questions that name what isn't declared, with what was meant", () => {
    const refused = (asked: () => Asked, message: RegExp) => {
      assert.throws(
        () => explain(world, placeOf, asked()),
        (error) => error instanceof CliError && message.test(error.message),
      );
    };
    refused(() => asks("admin-iu", "lucid-blocks"), /did you mean 'admin-ui'/);
    refused(() => asks("admin-ui", "lucid-block"), /did you mean 'lucid-blocks'/);
    refused(() => asks("admin-ui", "lucid-blocks", { port: "htp" }), /did you mean 'http'/);
    refused(() => asks("admin-ui", "admin-ui"), /does not call itself/);
    refused(() => asks("admin-ui", "lucid-blocks", { grpc: "a.B/*" }), /no gRPC method/);
    refused(() => asks("admin-ui", "lucid-blocks", { grpc: "a.B/C", method: "GET" }), /already/);
    refused(() => asks("admin-ui", "lucid-blocks", { path: "height" }), /begin it with/);
    refused(() => asks("admin-ui", "lucid-blocks", { at: "soon" }), /no time/);
  });

  it("agrees with the document for every pair and port: declared is allowed, all else refused by every layer that knows the port", () => {
    const edge = (from: string, to: string, port: string) =>
      mesh.edges.some((candidate) => candidate.from === from && candidate.to === to && candidate.port === port);
    let refused = 0;
    for (const from of mesh.services) {
      for (const to of mesh.services.filter((other) => other !== from)) {
        for (const { name: port } of to.ports) {
          const { allowed, layers } = explain(world, placeOf, asks(from.name, to.name, { port }));
          assert.equal(allowed, edge(from.name, to.name, port), `${from.name} ${to.name} ${port}`);
          if (allowed) continue;
          refused++;
          const port_layers = layers.filter(({ layer, asks }) => layer !== "NetworkPolicy" && asks !== true);
          assert.ok(port_layers.every((layer) => !layer.allowed));
        }
      }
    }
    assert.ok(refused > 10);
  });

  it("follows the rendered filter and not the model: an edge taken out of what is rendered is refused", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: mesh.edges.length - 1 }), (index) => {
        const gone = mesh.edges[index] ?? assert.fail();
        const without: Mesh = { ...mesh, edges: mesh.edges.filter((edge) => edge !== gone) };
        assert.notEqual(
          answer(asks(gone.from, gone.to, { port: gone.port }), enforced(without)),
          `${gone.port}: allowed`,
        );
        assert.equal(answer(asks(gone.from, gone.to, { port: gone.port })), `${gone.port}: allowed`);
      }),
      { numRuns: 20 },
    );
  });
});

describe("a call of a revoked service", () => {
  const revoked = enforced(revokedMesh("payout-router"));
  const of = (from: string, to: string) => explain(revoked, placeOf, asks(from, to));

  it("is refused by every layer that knows it, by the line that revokes it", () => {
    assert.equal(answer(asks("admin-ui", "payout-router"), revoked), "http: name NetworkPolicy TLS authorization");
    assert.equal(answer(asks("payout-router", "lucid-blocks"), revoked), "http: name NetworkPolicy TLS authorization");
    assert.equal(answer(asks("admin-ui", "lucid-blocks"), revoked), "http: allowed");
    for (const [from, to] of [
      ["admin-ui", "payout-router"],
      ["payout-router", "lucid-blocks"],
      ["payout-router", "jaeger"],
    ] as const) {
      assert.deepEqual(of(from, to).document, {
        place: "services.payout-router.revoked",
        says: `payout-router is revoked: ${REASON}`,
      });
    }
    assert.deepEqual(of("admin-ui", "payout-router").hints, [
      "declared, and closed by the revocation: services.admin-ui.calls[1] (services.admin-ui.calls[1])",
    ]);
  });

  it("is listed as revoked, with why; and the computed ones are gone", () => {
    const rows = accessRows(revoked, placeOf, NOW.toISOString(), "payout-router");
    assert.equal(rows.length, 6);
    assert.ok(rows.every((row) => row.revoked === `payout-router is revoked: ${REASON}`));
    assert.match(
      rowsText(rows),
      new RegExp(`^admin-ui +payout-router +http .* revoked +services.* payout-router is revoked: ${REASON}$`, "m"),
    );
    assert.ok(accessRows(world, placeOf, NOW.toISOString()).every((row) => row.revoked === undefined));
  });
});

describe("the list of permissions", () => {
  const rows = accessRows(world, placeOf, NOW.toISOString());

  it("has every edge, with rules, end, reason and place", () => {
    assert.deepEqual(
      rows.filter(({ kind }) => kind === "call"),
      [
        {
          from: "admin-ui",
          to: "lucid-blocks",
          port: "grpc",
          kind: "call",
          allows: "gRPC a.B/C, grpc.health.v1.Health/*",
          until: "2027-01-01T00:00:00Z",
          ended: false,
          reason: "For the audit",
          place: "services.admin-ui.calls[1]",
        },
        {
          from: "admin-ui",
          to: "lucid-blocks",
          port: "http",
          kind: "call",
          allows: "GET /blocks/*, /height",
          ended: false,
          reason: "Operators watch",
          place: "services.admin-ui.calls[0]",
        },
        {
          from: "admin-ui",
          to: "lucid-blocks",
          port: "peers",
          kind: "call",
          allows: "anything",
          ended: false,
          reason: "Peers",
          place: "services.admin-ui.calls[2]",
        },
      ],
    );
    assert.equal(rows.filter(({ kind }) => kind === "telemetry").length, 3);
  });

  it("can be that of one service, and says what has ended", () => {
    const later = accessRows(world, placeOf, "2027-06-01T00:00:00.000Z", "admin-ui");
    assert.deepEqual([...new Set(later.flatMap(({ from, to }) => [from, to]))].sort(), [
      "admin-ui",
      "jaeger",
      "lucid-blocks",
    ]);
    assert.deepEqual(
      later.filter(({ ended }) => ended).map(({ port }) => port),
      ["grpc"],
    );
  });

  it("writes rules in one line", () => {
    assert.equal(rulesText({ rules: [] }), "anything");
    assert.equal(
      rulesText({
        rules: [
          { methods: [], paths: ["/a"] },
          { methods: ["PUT"], paths: [] },
        ],
      }),
      "any method /a; PUT any path",
    );
  });
});
