import assert from "node:assert/strict";
import { assertArgued } from "./argued";
import { plannedWithEtcd } from "./dev";

/** Every operator on every kind of place of every kind of object of stack `dev`. */
describe("a change of a rendered object", function () {
  this.timeout(1_200_000);

  it("is found by a rule or by the proof, or it is argued why it opens nothing", () =>
    assertArgued({ ofEachKind: "first", atLeast: 15_000 }));
});

describe("the stack with etcd as its discovery backend", function () {
  this.timeout(180_000);

  it("is found nothing in before an update, when what comes from where is all that is known of keys", async () => {
    assert.deepEqual((await plannedWithEtcd()).unchanged(), []);
  });
});
