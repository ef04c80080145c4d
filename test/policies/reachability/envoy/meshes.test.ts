import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { loadMesh } from "../../../../mesh";
import type { Mesh } from "../../../../mesh";
import { Reachability, compare, readMesh } from "../../../../policies/reachability/envoy";
import { authenticatedMesh } from "../../../unit/envoy/authenticated";
import { datacenterMesh } from "../../../unit/envoy/datacenters-fixture";
import { externalMesh } from "../../../unit/envoy/external-fixture";
import { everyProtocol } from "../../../unit/envoy/fixture";
import { jobsMesh } from "../../../unit/envoy/jobs-fixture";
import { revokedMesh } from "../../../unit/envoy/revoked";
import { declaredTraffic } from "../../../unit/envoy/traffic-fixture";
import { versionsMesh } from "../../../unit/envoy/versions-fixture";
import { declarationOf, objectsOf } from "./rendered";

/** The meshes of the golden files. */
const meshes: Readonly<Record<string, Mesh>> = {
  "every protocol": everyProtocol,
  "declared traffic": declaredTraffic,
  "end users and an authenticator": authenticatedMesh(),
  "versions side by side": versionsMesh(),
  jobs: jobsMesh(),
  "services outside the cluster": externalMesh(),
  "a datacenter that others call and that calls them": datacenterMesh("north", true),
  "a datacenter beside it": datacenterMesh("south"),
  "a datacenter that is called alone": datacenterMesh("east"),
  "a revoked service": revokedMesh("payout-router"),
  "Lucid itself": loadMesh(readFileSync(path.join(__dirname, "../../../../mesh.yaml"), "utf8"), "mesh.yaml", {
    tracing: true,
  }),
};

/** The generator and the evaluator share no code; here they meet. */
describe("what sidecars admit, route, trust and answer is what the document declares", () => {
  for (const [title, mesh] of Object.entries(meshes)) {
    it(`with ${title}`, () => {
      const { sidecars, findings } = readMesh(objectsOf(mesh), { datacenter: mesh.datacenters?.own });
      assert.deepEqual(findings, []);
      const reachability = new Reachability(sidecars ?? assert.fail());
      assert.equal(reachability.sidecars.length, mesh.services.length);
      assert.deepEqual(
        compare(reachability, declarationOf(mesh)).map(({ text }) => text),
        [],
      );
    });
  }
});
