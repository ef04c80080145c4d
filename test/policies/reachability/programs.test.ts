import { proveRandomPrograms } from "./random-programs";

/** How many; `test/campaigns/reachability.test.ts` tries a thousand. */
const COUNT = Number(process.env.RANDOM_MESHES ?? 40);
const SECONDS_EACH = 15;

describe(`of ${COUNT} random meshes, as the program renders them`, function () {
  this.timeout(COUNT * SECONDS_EACH * 1000);

  it("the proof finds nothing at any layer", () => proveRandomPrograms(COUNT, 20_261_121));
});
