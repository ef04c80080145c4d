import assert from "node:assert/strict";
import * as fc from "fast-check";
import { compareSync } from "bcryptjs";

import { type Properties, reveal, Secret, UNKNOWN } from "../../../dev/plugins/protocol/values";
import { randomProvider } from "../../../dev/plugins/random/provider";
import { randomText, textFailures } from "../../../dev/plugins/random/text";
import { kinds, TestedResource, textOf } from "./plugins-resource";

function resource(type: string): TestedResource {
  return new TestedResource(randomProvider(), `random:index/random${type}:Random${type}`);
}

describe("plugins: random", () => {
  it("makes bytes that are secret, of the length asked for, and never the same", async () => {
    const bytes = resource("Bytes");
    const { id, outputs } = await bytes.create({ length: 32 });
    assert.ok(outputs.base64 instanceof Secret && outputs.hex instanceof Secret);
    const { base64, hex } = reveal(outputs);
    assert.equal(Buffer.from(textOf(base64), "base64").toString("hex"), hex);
    assert.equal(textOf(hex).length, 64);
    assert.equal(id, base64);
    assert.notEqual((await bytes.create({ length: 32 })).id, id);
  });

  it("knows nothing of the value at preview, but that it is secret", async () => {
    assert.deepEqual(await resource("Bytes").preview({ length: 32 }), {
      length: 32,
      base64: new Secret(UNKNOWN),
      hex: new Secret(UNKNOWN),
    });
  });

  it("makes UUIDs, and new ones when the keepers change", async () => {
    const uuid = resource("Uuid");
    const { id, outputs } = await uuid.create({});
    assert.match(id, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    assert.deepEqual(outputs, { result: id });
    assert.deepEqual(kinds(await uuid.diff(outputs, {}, {})), {});
    assert.deepEqual(kinds(await uuid.diff(outputs, {}, { keepers: { a: "1" } })), { keepers: "add-replace" });
  });

  it("writes an id in four ways", async () => {
    const { id, outputs } = await resource("Id").create({ byteLength: 4, prefix: "p-" });
    const hex = Buffer.from(id, "base64url").toString("hex");
    assert.equal(outputs.hex, `p-${hex}`);
    assert.equal(outputs.dec, `p-${String(Number.parseInt(hex, 16))}`);
    assert.equal(outputs.b64Url, `p-${id}`);
  });

  it("makes passwords with a hash that fits, both secret", async () => {
    const { id, outputs } = await resource("Password").create({ length: 20 });
    assert.equal(id, "none");
    assert.ok(outputs.result instanceof Secret && outputs.bcryptHash instanceof Secret);
    assert.ok(compareSync(textOf(outputs.result.value), textOf(outputs.bcryptHash.value)));
    assert.deepEqual({ numeric: outputs.numeric, number: outputs.number }, { numeric: true, number: true });
  });

  it("keeps to the kinds of characters and their least numbers", () => {
    const flag = fc.constantFrom<boolean | undefined>(true, undefined, false);
    const least = fc.integer({ min: 0, max: 3 });
    const inputs = fc.record({
      upper: flag,
      lower: flag,
      numeric: flag,
      special: flag,
      minUpper: least,
      minNumeric: least,
    });
    fc.assert(
      fc.property(inputs, fc.integer({ min: 6, max: 40 }), (options, length) => {
        const all = { ...options, length } as Properties;
        fc.pre(textFailures(all).length === 0);
        const text = randomText(all);
        const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
        assert.equal(text.length, length);
        assert.ok(count(/[A-Z]/g) >= options.minUpper && count(/\d/g) >= options.minNumeric);
        if (options.lower === false) assert.equal(count(/[a-z]/g), 0);
        if (options.special === false) assert.equal(count(/[^A-Za-z\d]/g), 0);
        if (options.upper === false) assert.equal(count(/[A-Z]/g), options.minUpper);
      }),
    );
  });

  for (const [title, type, inputs, property] of [
    ["an unknown input", "Uuid", { keeper: {} }, "keeper"],
    ["a length of nothing", "Bytes", { length: 0 }, "length"],
    ["no length", "Bytes", {}, "length"],
    ["minimums beyond the length", "Password", { length: 3, minUpper: 2, minLower: 2 }, "length"],
    [
      "no kind of character",
      "String",
      { length: 3, upper: false, lower: false, numeric: false, special: false },
      "special",
    ],
  ] as const) {
    it(`refuses ${title}`, async () => {
      const failures = await resource(type).failures(inputs);
      assert.deepEqual(
        failures.map((failure) => failure.property),
        [property],
      );
    });
  }
});
