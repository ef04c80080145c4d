import assert from "node:assert/strict";
import { declaredSpec, meshServiceDefinition, meshServiceSpec } from "../../../mesh/custom-resource";
import { resolveMesh, validateDocument } from "../../../mesh";
import { lucid } from "../../policies/support/planned";
import { joinedDocument } from "../components/joins";
import { jobsMesh } from "../envoy/jobs-fixture";
import { revokedMesh } from "../envoy/revoked";

/** What the API server takes for a structural schema, as far as it isn't tried on a real one. */
function* schemasIn(value: unknown, path = ""): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>];
  for (const [key, field] of Object.entries(value)) yield* schemasIn(field, `${path}.${key}`);
}

describe("MeshService", () => {
  const { spec } = meshServiceDefinition();
  const schema = spec.versions[0]?.schema.openAPIV3Schema;

  it("has a structural schema: a type everywhere, no reference, nothing that prunes nothing", () => {
    for (const [path, part] of schemasIn(schema)) {
      for (const key of ["$ref", "$schema", "additionalProperties", "const", "x-kubernetes-preserve-unknown-fields"])
        assert.ok(!(key in part), `${path}: ${key}`);
      if ("properties" in part) assert.equal(part.type, "object", path);
      if ("items" in part)
        assert.ok("maxItems" in part, `${path}: what has no bound can't be judged by CEL at a bounded cost`);
    }
  });

  it("tells each field's meaning", () => {
    const parts = [...schemasIn(schema)].filter(([path]) => /\.properties\.[^.]+$/.test(path));
    for (const [path, part] of parts) assert.equal(typeof part.description, "string", path);
  });

  for (const [title, mesh] of [
    ["Lucid", lucid],
    ["a mesh with jobs", jobsMesh()],
    ["Lucid with a service revoked", revokedMesh("payout-router")],
    ["Lucid with a service that another stack brings", resolveMesh(validateDocument(joinedDocument()))],
  ] as const) {
    it(`declares every service of ${title} in its own words`, () => {
      for (const service of mesh.services) {
        const declared = declaredSpec(mesh, service);
        assert.deepEqual(meshServiceSpec.parse(declared), declared);
        assert.equal("replicas" in declared.workload, service.workload.kind !== "job");
        assert.equal(declared.revoked, service.revoked);
      }
    });
  }
});
