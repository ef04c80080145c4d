import * as assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { revocationList } from "../../../components/identity/revocation-list";
import { binDir } from "../../../dev/paths";
import { renderCertificateSds, renderSidecar, renderTokens, renderTrust } from "../../../envoy";
import { peerZone } from "../../../mesh";
import { ZONES, type Mesh, type Service } from "../../../mesh/model";
import { authenticatedMesh, PUBLIC_KEYS } from "./authenticated";
import { datacenterMesh } from "./datacenters-fixture";
import { externalMesh } from "./external-fixture";
import { everyProtocol, OPTIONS, services } from "./fixture";
import { jobsMesh } from "./jobs-fixture";
import { revokedMesh } from "./revoked";
import { assembleStatic } from "./static";
import { declaredTraffic } from "./traffic-fixture";
import { versionsMesh } from "./versions-fixture";

const ENVOY = path.join(binDir(), "envoy");

/**
 * Envoy's own judgement, with the descriptors and validation rules of its version: what the protos of the npm package do not know yet (see
 * NEWER and NEWER_FIELDS in strict-parse.ts) is covered here.
 */
describe("envoy --mode validate", function () {
  this.timeout(60_000);
  let root: string;

  before(() => {
    assert.ok(fs.existsSync(ENVOY), `no Envoy at ${ENVOY}: \`npm start\` installs it`);
    root = fs.mkdtempSync(path.join(os.tmpdir(), "lucid-validate-"));
    for (const directory of ["etc/envoy/config/..data", "etc/envoy/certificate", "etc/envoy/token", "var/run/envoy"]) {
      fs.mkdirSync(path.join(root, directory), { recursive: true });
    }
    const [key, certificate] = ["tls.key", "tls.crt"].map((file) => path.join(root, "etc/envoy/certificate", file));
    const subject = ["-subj", "/CN=test", "-days", "1", "-keyout", key ?? "", "-out", certificate ?? ""];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    execFileSync("openssl", ["req", "-x509", ...curve, ...subject], { stdio: "ignore" });
    const pem = fs.readFileSync(certificate ?? "", "utf8");
    const revocations = revocationList(pem, fs.readFileSync(key ?? "", "utf8"), []);
    const peers = ["north", "south", "east"].flatMap((datacenter) => ZONES.map((zone) => peerZone(zone, datacenter)));
    for (const zone of [...ZONES, ...peers]) {
      fs.writeFileSync(path.join(root, `etc/envoy/config/..data/${zone}.yaml`), renderTrust(zone, pem, revocations));
    }
    const write = (file: string, text: string) => {
      fs.writeFileSync(path.join(root, "etc/envoy", file), text.replaceAll("/etc/envoy", `${root}/etc/envoy`));
    };
    const files = renderSidecar(everyProtocol, services.blocks, OPTIONS);
    write("config/..data/tokens.yaml", files["tokens.yaml"]);
    for (const datacenter of ["north", "south"]) {
      write(`config/..data/tokens.${datacenter}.yaml`, renderTokens(undefined, datacenter));
    }
    write("config/..data/credential.yaml", files["credential.yaml"]);
    write("token/token", "e.e.e");
    const sds = renderCertificateSds().replaceAll("/etc/envoy", `${root}/etc/envoy`);
    fs.writeFileSync(path.join(root, "etc/envoy/config/..data/certificate.yaml"), sds);
  });

  after(() => {
    fs.rmSync(root, { recursive: true, force: true });
  });

  const sidecars = [
    everyProtocol,
    declaredTraffic,
    authenticatedMesh(),
    authenticatedMesh(PUBLIC_KEYS, { verdict: "its answers were bought" }),
    versionsMesh(),
    jobsMesh(),
    externalMesh(),
    datacenterMesh("north", true),
    datacenterMesh("south", true),
    datacenterMesh("east", true),
    revokedMesh("payout-router"),
    revokedMesh("prometheus"),
    revokedMesh("jaeger"),
  ].flatMap((mesh) => mesh.services.map((service) => ({ mesh, service })));
  for (const { mesh, service } of sidecars) {
    it(`accepts ${service.name}'s configuration, and warns of nothing`, () => {
      const { status, output } = validate(mesh, service, (text) => text);
      assert.equal(status, 0, output);
      assert.doesNotMatch(output, /warning|deprecated/i);
    });
  }

  it("accepts the marks of what was withdrawn", () => {
    const withdrawals = ZONES.map((zone) => ({ zone, what: "root 1" }));
    for (const service of everyProtocol.services) {
      const { status, output } = validate(everyProtocol, service, (text) => text, { ...OPTIONS, withdrawals });
      assert.equal(status, 0, output);
      assert.doesNotMatch(output, /warning|deprecated/i);
    }
  });

  it("refuses an unknown field, however deep", () => {
    for (const field of [
      "require_client_certificate",
      "query_timeout_seconds",
      "dns_jitter",
      "path_with_escaped_slashes_action",
    ]) {
      const { status, output } = validate(everyProtocol, services.blocks, (text) =>
        text.replace(`${field}:`, `${field}_:`),
      );
      assert.notEqual(status, 0, `${field}_ was accepted`);
      assert.match(output, new RegExp(`${field}_`));
    }
  });

  function validate(
    mesh: Mesh,
    service: Service,
    change: (text: string) => string,
    options = OPTIONS,
  ): { status: number | null; output: string } {
    const file = path.join(root, `${service.name}.yaml`);
    fs.writeFileSync(file, change(assembleStatic(renderSidecar(mesh, service, options), root)));
    const args = ["--mode", "validate", "--config-path", file, "--service-node", "test", "--concurrency", "1"];
    const { status, stdout, stderr } = spawnSync(ENVOY, [...args, "--log-level", "warning"], { encoding: "utf8" });
    return { status, output: stdout + stderr };
  }
});
