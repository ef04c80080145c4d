import { assertArgued } from "../policies/mutations/argued";

const MINUTE = 60_000;

describe("every change of every field of every rendered object", function () {
  this.timeout(120 * MINUTE);

  it("is found by a rule or by the proof, or it is argued why it opens nothing", async () => {
    console.log(await assertArgued({ ofEachKind: "all", atLeast: 45_000 }));
  });
});
