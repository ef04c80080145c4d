import assert from "node:assert/strict";
import { parseYaml } from "../../../policies/envoy/files";
import { Memo } from "../../../policies/envoy/memo";
import { Field } from "../../../policies/judgement/field";

describe("what is made of texts", () => {
  it("is made once for the same text", () => {
    let made = 0;
    const memo = new Memo(100, (text) => `${text} ${(made += 1)}`);
    assert.deepEqual([memo.of("a"), memo.of("b"), memo.of("a")], ["a 1", "b 2", "a 1"]);
  });

  it("is kept for the newest texts, as long as they are short enough together", () => {
    const made: string[] = [];
    const memo = new Memo(4, (text) => made.push(text));
    for (const text of ["aa", "bb", "cc", "bb", "aa", "too long", "too long"]) memo.of(text);
    assert.deepEqual(made, ["aa", "bb", "cc", "aa", "too long", "too long"]);
  });

  it("is not kept where making it fails", () => {
    let made = 0;
    const memo = new Memo(100, () => {
      made += 1;
      throw new Error("no");
    });
    assert.throws(() => memo.of("a"), /no/);
    assert.throws(() => memo.of("a"), /no/);
    assert.equal(made, 2);
  });

  it("is told of the place at which it stands, for the same file in two", () => {
    const paths = ["one", "two"].map(
      (place) => parseYaml(new Field("a: { b: [1] }", place)).at("a", "b").items()[0]?.path,
    );
    assert.deepEqual(paths, ["one.a.b[0]", "two.a.b[0]"]);
  });
});
