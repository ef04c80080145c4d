import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { renderSidecar, sidecarCommand } from "../../envoy";
import { loadMesh } from "../../mesh";
import type { Mesh } from "../../mesh/model";
import { authenticatedMesh } from "../unit/envoy/authenticated";
import { datacenterMesh } from "../unit/envoy/datacenters-fixture";
import { externalMesh } from "../unit/envoy/external-fixture";
import { everyProtocol, OPTIONS } from "../unit/envoy/fixture";
import { jobsMesh } from "../unit/envoy/jobs-fixture";
import { revokedMesh } from "../unit/envoy/revoked";
import { declaredTraffic } from "../unit/envoy/traffic-fixture";
import { versionsMesh } from "../unit/envoy/versions-fixture";

const FILES = path.join(__dirname, "files", "envoy");
const UPDATE = process.env.UPDATE_GOLDEN === "1";

/** The files that are kept, so that a review of a change sees what it does to every sidecar. `UPDATE_GOLDEN=1` writes them anew. */
describe("golden files of sidecars", () => {
  const document = path.join(__dirname, "..", "..", "mesh.yaml");
  const meshes: Readonly<Record<string, Mesh>> = {
    "every-protocol": everyProtocol,
    "declared-traffic": declaredTraffic,
    authenticated: authenticatedMesh(),
    versions: versionsMesh(),
    jobs: jobsMesh(),
    external: externalMesh(),
    "datacenters-north": datacenterMesh("north"),
    "datacenters-south": datacenterMesh("south"),
    // Beside `lucid`, of which it differs in one key.
    revoked: revokedMesh("payout-router"),
    lucid: loadMesh(fs.readFileSync(document, "utf8"), "mesh.yaml", { tracing: true }),
  };

  for (const [name, mesh] of Object.entries(meshes)) {
    const folder = path.join(FILES, name);
    if (UPDATE) fs.mkdirSync(folder, { recursive: true });
    const rendered = Object.fromEntries(
      mesh.services.flatMap((service) =>
        Object.entries({
          ...renderSidecar(mesh, service, OPTIONS),
          "arguments.txt": `${sidecarCommand(service, OPTIONS).join("\n")}\n`,
        }).map(([file, text]) => [path.join(service.name, file), text]),
      ),
    );

    for (const [file, text] of Object.entries(rendered)) {
      it(`${name}: ${file}`, () => {
        const kept = path.join(folder, file);
        if (UPDATE) {
          fs.mkdirSync(path.dirname(kept), { recursive: true });
          fs.writeFileSync(kept, text);
        }
        assert.ok(
          fs.existsSync(kept),
          `${kept} is missing: run the golden tests with UPDATE_GOLDEN=1 and review the change`,
        );
        assert.equal(text, fs.readFileSync(kept, "utf8"), "differs; if that is meant, run with UPDATE_GOLDEN=1");
      });
    }

    it(`${name}: no file of a service that is gone`, () => {
      const kept = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      const stale = kept
        .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
        .filter((file) => !(file in rendered));
      if (UPDATE) {
        stale.forEach((file) => {
          fs.rmSync(path.join(folder, file));
        });
      } else {
        assert.deepEqual(stale, []);
      }
    });
  }
});
