import * as assert from "node:assert/strict";
import { renderCertificateSds, renderSidecar, renderTrust } from "../../../envoy";
import { fromYaml } from "../../../envoy/yaml";
import { authenticatedMesh } from "./authenticated";
import { datacenterMesh } from "./datacenters-fixture";
import { externalMesh } from "./external-fixture";
import { everyProtocol, OPTIONS } from "./fixture";
import { jobsMesh } from "./jobs-fixture";
import { problemsOf } from "./strict-parse";
import { declaredTraffic } from "./traffic-fixture";
import { versionsMesh } from "./versions-fixture";

const BOOTSTRAP = "envoy.config.bootstrap.v3.Bootstrap";
const DISCOVERY = "envoy.service.discovery.v3.DiscoveryResponse";

const EVERY_SIDECAR = [
  everyProtocol,
  versionsMesh(),
  authenticatedMesh(),
  jobsMesh(),
  externalMesh(),
  datacenterMesh("north"),
  datacenterMesh("south"),
].flatMap((mesh) => mesh.services.map((service) => ({ mesh, service })));

describe("every rendered file, parsed strictly against Envoy's protos", function () {
  this.timeout(30_000);

  for (const { mesh, service } of EVERY_SIDECAR) {
    it(`of ${service.name}`, () => {
      const files = renderSidecar(mesh, service, OPTIONS);
      for (const [file, text] of Object.entries<string>({ ...files })) {
        if (!/^(credential|tokens(\..+)?)\.yaml$/.test(file)) continue;
        assert.deepEqual(problemsOf(DISCOVERY, fromYaml(text)), []);
      }
      assert.deepEqual(problemsOf(BOOTSTRAP, fromYaml(files["bootstrap.yaml"])), []);
      assert.deepEqual(problemsOf(DISCOVERY, fromYaml(files["listeners.yaml"])), []);
      assert.deepEqual(problemsOf(DISCOVERY, fromYaml(files["clusters.yaml"])), []);
    });
  }

  for (const service of declaredTraffic.services) {
    it(`of ${service.name}, with traffic declared`, () => {
      const files = renderSidecar(declaredTraffic, service, OPTIONS);
      assert.deepEqual(problemsOf(DISCOVERY, fromYaml(files["listeners.yaml"])), []);
      assert.deepEqual(problemsOf(DISCOVERY, fromYaml(files["clusters.yaml"])), []);
    });
  }

  it("secrets too", () => {
    assert.deepEqual(problemsOf(DISCOVERY, fromYaml(renderCertificateSds())), []);
    assert.deepEqual(
      problemsOf(
        DISCOVERY,
        fromYaml(renderTrust("ops", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN X509 CRL-----\n")),
      ),
      [],
    );
  });

  it("finds what does not fit, however deep", () => {
    const files = renderSidecar(everyProtocol, everyProtocol.services[0] ?? assert.fail(), OPTIONS);
    const changed = (from: string, to: string): string[] => {
      assert.ok(files["listeners.yaml"].includes(from), `${from} is in the file`);
      return problemsOf(DISCOVERY, fromYaml(files["listeners.yaml"].replace(from, to)));
    };
    assert.match(changed("require_client_certificate:", "require_client_certifcate:").join(), /no such field/);
    assert.match(changed("action: ALLOW", "action: ADMIT").join(), /has no ADMIT/);
    assert.match(changed("timeout: 0s", "timeout: never").join(), /is no google.protobuf.Duration/);
    assert.match(changed("filters.http.rbac.v3.RBAC", "filters.http.rbac.v3.RBACK").join(), /unknown type/);
    assert.match(changed("normalize_path: true", "normalize_path: 'true'").join(), /is no google.protobuf.BoolValue/);
  });
});
