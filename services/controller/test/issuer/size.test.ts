/** The bundled issuer and a zone of a thousand services. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issuingPolicyData } from "../../../../mesh/issuing/index.js";
import { testAuthority } from "../support/authority.js";
import { eventually } from "../support/eventually.js";
import { FakeKubernetes } from "../support/fake-kubernetes.js";
import { mebibytes, memoryOf, OTHER_HEAP } from "../support/memory.js";
import { meshServiceObject } from "../support/objects.js";
import { Program } from "../support/program.js";

const SERVICES = 1_000;
/** Limit of its container in MiB. */
const CONTAINER = 160;
/** Authorities that follow one another, each of which makes all certificates anew. */
const AUTHORITIES = 4;

const NAMESPACE = "/api/v1/namespaces/lucid-ops";
const SECRETS = `${NAMESPACE}/secrets`;
const CONFIG_MAPS = `${NAMESPACE}/configmaps`;
const DECLARED = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices";

describe("issuer: a thousand services of one zone", function () {
  this.timeout(400_000);
  let kubernetes: FakeKubernetes;
  let folder: string;
  let program: Program | undefined;
  const names = Array.from({ length: SERVICES }, (_, index) => `service-${String(index).padStart(4, "0")}`);
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const leaf = (name: string): string => kubernetes.get(SECRETS, `${name}-tls`)?.data?.["tls.crt"] ?? "";

  before(async () => {
    kubernetes = await FakeKubernetes.start(500);
    folder = mkdtempSync(join(tmpdir(), "lucid-issuer-"));
    const policy = { services: names, validityHours: 24, algorithm: "ECDSA", revoked: [] } as const;
    kubernetes.put(CONFIG_MAPS, { metadata: { name: "lucid-issuing" }, data: issuingPolicyData(policy) });
    for (const name of names) {
      const object = meshServiceObject(name);
      kubernetes.put(DECLARED, { ...object, metadata: { ...object.metadata, uid: `uid-of-${name}` } });
    }
  });
  after(async () => {
    await program?.stop();
    await kubernetes.stop();
    rmSync(folder, { recursive: true });
  });

  it("are given certificates, and new ones under each new authority, within what its container has", async () => {
    let before = new Map(names.map((name) => [name, ""]));
    let took = 0;
    for (let round = 0; round < AUTHORITIES; round += 1) {
      const { secret } = await testAuthority();
      const data = { "tls.crt": base64(secret["tls.crt"]), "tls.key": base64(secret["tls.key"]) };
      kubernetes.put(SECRETS, { metadata: { name: "lucid-issuing-tls" }, data });
      const begun = performance.now();
      program ??= await Program.startIssuer(kubernetes, folder, { ISSUER_INTERVAL: "5", NODE_OPTIONS: OTHER_HEAP });
      await eventually(() => {
        assert.equal(names.filter((name) => leaf(name) === before.get(name)).length, 0);
      }, 90_000);
      took = Math.max(took, (performance.now() - begun) / 1000);
      before = new Map(names.map((name) => [name, leaf(name)]));
    }
    const running = program ?? assert.fail("it was not started");
    await running.healthy();
    const { heap, resident } = await memoryOf(running);
    console.log(
      `      ${String(SERVICES)} certificates, ${String(AUTHORITIES)} times: in ${took.toFixed(1)} s at most; heap ${mebibytes(heap)}, resident ${mebibytes(resident)}`,
    );
    assert.ok(resident < CONTAINER, `${mebibytes(resident)} resident`);
  });
});
