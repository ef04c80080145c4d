import assert from "node:assert/strict";
import {
  edgesFrom,
  edgesTo,
  inspectorsOf,
  peerZones,
  podsAtOnce,
  revocationNotices,
  serviceNamed,
} from "../../../mesh";
import { resolveMesh, validateDocument, type Mesh } from "../../../mesh";
import { authenticatedMesh, PUBLIC_KEYS } from "../envoy/authenticated";
import { REASON, revokedMesh } from "../envoy/revoked";
import { happy, put, refuses } from "./fixture";

const ends = (edges: Mesh["edges"]) => edges.map(({ from, to, port }) => `${from} -> ${to}:${port}`);

describe("a revoked service", () => {
  const before = revokedMesh();
  const mesh = revokedMesh("payout-router");
  const router = serviceNamed(mesh, "payout-router");

  it("has no edge, computed ones included, and leaves every other one as it was", () => {
    assert.ok(edgesFrom(before, router).some(({ kind }) => kind === "telemetry"));
    assert.deepEqual([...edgesFrom(mesh, router), ...edgesTo(mesh, router)], []);
    assert.deepEqual(
      mesh.edges,
      before.edges.filter(({ from, to }) => from !== router.name && to !== router.name),
    );
  });

  it("keeps the lines of its callers, and its own: they are told as closed", () => {
    assert.deepEqual(ends(mesh.closed), [
      "admin-ui -> payout-router:grpc",
      "admin-ui -> payout-router:http",
      "payout-router -> lucid-blocks:grpc",
      "payout-router -> lucid-blocks:http",
      "payout-router -> tron-payment:grpc",
      "payout-router -> tron-payment:http",
    ]);
    assert.deepEqual(before.closed, []);
  });

  it("is said at preview, with the reason and what it closes", () => {
    assert.deepEqual(revocationNotices(mesh), [
      `payout-router is revoked: ${REASON}; closes: admin-ui -> payout-router, payout-router -> lucid-blocks, payout-router -> tron-payment`,
    ]);
    assert.deepEqual(revocationNotices(before), []);
    assert.match(
      revocationNotices(revokedMesh("lucid-blocks", "payout-router")).join("\n"),
      /^lucid-blocks is.*\npayout-router is/,
    );
  });

  it("isn't run, in any of its versions, and is otherwise the service that it was", () => {
    const { revoked, workload, ...rest } = router;
    const { workload: running, ...same } = serviceNamed(before, "payout-router");
    assert.deepEqual(rest, same);
    assert.equal(revoked, REASON);
    assert.deepEqual(workload, { ...running, replicas: 0 });
    const document = happy();
    put(document, "services.2.versions", [
      { name: "v1", image: "a:1", replicas: 2 },
      { name: "v2", image: "a:2" },
    ]);
    put(document, "services.2.image", undefined);
    put(document, "services.2.revoked", "  gone bad ");
    const versioned = serviceNamed(resolveMesh(validateDocument(document)), "tron-payment");
    assert.equal(versioned.revoked, "gone bad");
    assert.equal(podsAtOnce(versioned), 0);
    assert.ok(versioned.workload.kind === "versions");
    assert.deepEqual(
      versioned.workload.versions.map(({ replicas }) => replicas),
      [0, 0],
    );
  });

  it("trusts no zone, and is inspected by nobody, while the others are as before", () => {
    assert.deepEqual(peerZones(mesh, router), []);
    assert.deepEqual(inspectorsOf(mesh, router), []);
    const payment = serviceNamed(mesh, "tron-payment");
    assert.deepEqual(
      inspectorsOf(mesh, payment).map(({ name }) => name),
      ["prometheus", "mesh-controller"],
    );
  });

  it("that inspects sidecars or collects traces does so no more", () => {
    const blind = revokedMesh("prometheus", "jaeger");
    const payment = serviceNamed(blind, "tron-payment");
    assert.deepEqual(
      inspectorsOf(blind, payment).map(({ name }) => name),
      ["mesh-controller"],
    );
    assert.ok(!blind.edges.some(({ kind }) => kind === "telemetry"));
  });

  it("that answers for callers is asked no more, and that is said: what asks it refuses all", () => {
    const unanswered = authenticatedMesh(PUBLIC_KEYS, { verdict: REASON });
    assert.ok(!unanswered.edges.some(({ kind }) => kind === "authentication"));
    assert.match(
      revocationNotices(unanswered).join(),
      /closes: verdict -> ledger; nobody answers .* it is asked: portal$/,
    );
  });

  it("that calls nobody is said to close no call", () => {
    const document = happy();
    put(document, "services.2.revoked", "unused");
    assert.deepEqual(revocationNotices(resolveMesh(validateDocument(document))), [
      "tron-payment is revoked: unused; closes no declared call",
    ]);
  });

  it("can be called by an ended call, which is told as ended alone", () => {
    const document = happy();
    put(document, "services.0.calls.0.until", "2026-12-31");
    put(document, "services.1.revoked", "gone bad");
    const late = resolveMesh(validateDocument(document), { now: "2027-01-01T00:00:00.000Z" });
    assert.deepEqual([late.ended.length, late.closed.length], [1, 0]);
  });

  refuses([
    ["an empty reason", "services.2.revoked", " ", "services.tron-payment.revoked", /reason is empty/, /say why/],
    ["no reason", "services.2.revoked", true, "services.tron-payment.revoked", /true stands here/, /text/],
    ["a long reason", "services.2.revoked", "x".repeat(301), "services.tron-payment.revoked", /300/, /shorten/],
  ]);
});
