import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issuingPolicyData } from "../../../../mesh/issuing/index.js";
import { testAuthority } from "../support/authority.js";
import { eventually } from "../support/eventually.js";
import { FakeKubernetes } from "../support/fake-kubernetes.js";
import { meshServiceObject } from "../support/objects.js";
import { Program } from "../support/program.js";

const SECRETS = "/api/v1/namespaces/lucid-ops/secrets";
const CONFIG_MAPS = "/api/v1/namespaces/lucid-ops/configmaps";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/lucid-mesh/leases";
const SERVICES = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices";

describe("the issuer's program", () => {
  let kubernetes: FakeKubernetes;
  let folder: string;
  const programs: Program[] = [];

  const start = async (env: Readonly<Record<string, string>> = {}): Promise<Program> => {
    const program = await Program.startIssuer(kubernetes, folder, { LOG_LEVEL: "debug", ...env });
    programs.push(program);
    return program;
  };
  const health = async (program: Program) =>
    JSON.parse((await program.get("/health")).text) as Readonly<Record<string, unknown>>;

  before(async () => {
    kubernetes = await FakeKubernetes.start(50);
    folder = mkdtempSync(join(tmpdir(), "lucid-issuer-"));
    const { secret } = await testAuthority();
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const policy = { services: ["admin-ui"], validityHours: 24, algorithm: "ECDSA", revoked: [] } as const;
    kubernetes.put(CONFIG_MAPS, { metadata: { name: "lucid-issuing" }, data: issuingPolicyData(policy) });
    const data = { "tls.crt": base64(secret["tls.crt"]), "tls.key": base64(secret["tls.key"]) };
    kubernetes.put(SECRETS, { metadata: { name: "lucid-issuing-tls" }, data });
    const declared = meshServiceObject("admin-ui");
    kubernetes.put(SERVICES, { ...declared, metadata: { ...declared.metadata, uid: "uid-of-admin-ui" } });
  });
  after(async () => {
    await Promise.all(programs.map((program) => program.stop()));
    await kubernetes.stop();
    rmSync(folder, { recursive: true });
  });

  it("issues, tells how it is, and shows its key to nobody", async () => {
    const program = await start();
    await eventually(() => {
      assert.ok(kubernetes.get(SECRETS, "admin-ui-tls") !== undefined, program.output);
    });
    await program.healthy();
    const { leading, state, reasons, clockSkew } = await health(program);
    assert.deepEqual({ leading, state, reasons }, { leading: true, state: "issuing", reasons: [] });
    assert.ok(Math.abs(Number(clockSkew)) < 5_000);
    const { text } = await program.get("/metrics");
    assert.match(text, /^lucid_issuer_certificates_issued_total\{fault="missing"\} 1$/m);
    assert.match(text, /^lucid_issuer_certificate_expiry_timestamp_seconds\{service="admin-ui"\} \d+/m);
    assert.match(text, /^lucid_issuer_leading 1$/m);
    assert.match(text, /^lucid_issuer_clock_skew_seconds -?\d/m);
    for (const path of ["/", "/status", "/health/x", "/debug"]) {
      assert.equal((await program.get(path)).status, 404, path);
    }
    assert.doesNotMatch(program.output + text, /PRIVATE KEY|LS0tLS1CRUdJTiBQUklWQVRF/);
  });

  it("follows another of its name, and takes over when that ends", async () => {
    const [first] = programs;
    const follower = await start();
    await follower.healthy();
    assert.equal((await health(follower)).state, "following");
    const issued = kubernetes.get(SECRETS, "admin-ui-tls");
    assert.equal(await first?.stop(), 0);
    await eventually(async () => {
      assert.equal((await health(follower)).state, "issuing");
    });
    assert.deepEqual(kubernetes.get(SECRETS, "admin-ui-tls"), issued);
    assert.ok(kubernetes.get(LEASES, "issuer-ops") !== undefined);
  });

  it("waits for what it signs by, and is well while it does", async () => {
    const program = await start({ ISSUER_ZONE: "edge" });
    await program.healthy();
    await eventually(async () => {
      assert.equal((await health(program)).state, "waiting");
    });
  });

  it("names every setting that is wrong, and ends", async () => {
    const program = await start({ ISSUER_ZONE: "moon", ISSUER_INTERVAL: "0", LOG_LEVEL: "loud" });
    assert.equal(await program.ended(), 2);
    for (const setting of ["ISSUER_ZONE", "ISSUER_INTERVAL", "LOG_LEVEL"]) {
      assert.match(program.output, new RegExp(setting));
    }
  });
});
