import assert from "node:assert/strict";
import fc from "fast-check";
import { planViolations } from "../../../proof";
import { rehearsed, settings } from "../../unit/proof/lucid";
import { meshes } from "./random-meshes";

/**
 * Has the program render random meshes, whole: pods, policies, sidecars, trust; and proves each at all layers.
 *
 * @param count of meshes; they are the same for one seed
 */
export async function proveRandomPrograms(count: number, seed: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(meshes, async (mesh) => {
      assert.deepEqual(planViolations(mesh, settings, await rehearsed(mesh)), []);
    }),
    { numRuns: count, seed, endOnFailure: true },
  );
}
