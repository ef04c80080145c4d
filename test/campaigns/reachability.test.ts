import { proveRandomPrograms } from "../policies/reachability/random-programs";

const COUNT = 1_000;
const SECONDS_EACH = 15;

describe("a thousand random meshes, as the program renders them", function () {
  this.timeout(COUNT * SECONDS_EACH * 1000);

  it("are proven at every layer without a false alarm", () => proveRandomPrograms(COUNT, 1));
});
