import assert from "node:assert/strict";
import fc from "fast-check";
import { planViolations } from "../../../proof";
import { etcdSettings, rehearsed, settings } from "../../unit/proof/lucid";
import { meshes } from "./random-meshes";

/**
 * Has the program render random meshes, whole: pods, policies, sidecars, trust, rights at either discovery backend; and proves each at all layers.
 *
 * @param count of meshes; they are the same for one seed
 */
export async function proveRandomPrograms(count: number, seed: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(meshes, fc.constantFrom(settings, etcdSettings), async (mesh, under) => {
      assert.deepEqual(planViolations(mesh, under, await rehearsed(mesh, {}, under)), []);
    }),
    { numRuns: count, seed, endOnFailure: true },
  );
}
