import assert from "node:assert/strict";
import * as fc from "fast-check";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

import { ConfigValues } from "../../../dev/plugins/protocol/config";
import { diffInputs, diffResponse } from "../../../dev/plugins/protocol/diff";
import { checkFields, type Fields, withDefaults } from "../../../dev/plugins/protocol/fields";
import {
  Archive,
  Asset,
  containsSecrets,
  containsUnknowns,
  markSecrets,
  type Properties,
  ResourceReference,
  reveal,
  sameValue,
  Secret,
  UNKNOWN,
  Unknown,
  type Value,
} from "../../../dev/plugins/protocol/values";
import { decodeProperties, encodeProperties, fromWire, toWire } from "../../../dev/plugins/protocol/wire";

const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
const OUTPUT = { "4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4" };

/** Any value that can pass between an engine and a provider. */
const anyProperties: fc.Arbitrary<Properties> = fc.letrec<{ value: Value; properties: Properties }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Value>(null, true, false, UNKNOWN),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    tie("value").map((value) => new Secret(value)),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("properties"),
    fc.string().map((text) => new Asset({ text })),
    fc.string().map((path) => new Archive({ path })),
    fc.string().map((urn) => new ResourceReference(urn, "id", "1.0.0")),
  ),
  // google-protobuf's own conversion loses a property of this name; the real engine's values have none.
  properties: fc.dictionary(
    fc.string().filter((name) => name !== "__proto__"),
    tie("value"),
    { maxKeys: 4 },
  ),
})).properties;

describe("plugins: property values", () => {
  it("come back from the wire as they went, secrets and unknowns at every depth included", () => {
    fc.assert(
      fc.property(anyProperties, (properties) => {
        const back = fromWire(Struct.deserializeBinary(toWire(properties).serializeBinary()));
        assert.deepEqual(back, properties);
        assert.equal(containsSecrets(back), containsSecrets(properties));
        assert.equal(containsUnknowns(back), containsUnknowns(properties));
      }),
    );
  });

  it("are written as the engine writes them", () => {
    assert.deepEqual(encodeProperties({ a: UNKNOWN, b: new Secret("x"), c: [new Secret(UNKNOWN)] }), {
      a: UNKNOWN_STRING,
      b: { ...SECRET, value: "x" },
      c: [{ ...SECRET, value: UNKNOWN_STRING }],
    });
  });

  it("take every type's unknown, and outputs with and without a value", () => {
    const decoded = decodeProperties({
      boolean: "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
      object: "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
      pending: { ...OUTPUT },
      known: { ...OUTPUT, value: "x", secret: true },
    });
    assert.ok(decoded.boolean instanceof Unknown && decoded.object instanceof Unknown);
    assert.ok(decoded.pending instanceof Unknown);
    assert.deepEqual(decoded.known, new Secret("x"));
  });

  it("refuse a signature that nobody knows", () => {
    assert.throws(() => decodeProperties({ a: { "4dabf18193072939515e22adb298388d": "x" } }), /signature x/);
  });

  it("never show a secret in a message", () => {
    const secret = new Secret("hunter2");
    assert.doesNotMatch(`${String(secret)} ${JSON.stringify({ secret })}`, /hunter2/);
  });

  it("reveal at every depth, and are marked again by name and by input", () => {
    const inputs = { a: new Secret("x"), b: [{ c: new Secret("y") }], d: "z" };
    assert.deepEqual(reveal(inputs), { a: "x", b: [{ c: "y" }], d: "z" });
    assert.deepEqual(markSecrets({ a: "x", b: [{ c: "y" }], d: "z", key: "k" }, inputs, ["key"]), {
      a: new Secret("x"),
      b: new Secret([{ c: "y" }]),
      d: "z",
      key: new Secret("k"),
    });
  });

  it("are the same whether secret or not", () => {
    assert.ok(sameValue({ a: [new Secret("x")] }, { a: ["x"] }));
    assert.ok(!sameValue({ a: ["x"] }, { a: ["x", "y"] }));
    assert.ok(!sameValue({}, { a: "x" }));
    assert.ok(!sameValue("x", UNKNOWN));
  });
});

describe("plugins: differences", () => {
  const rules = { replaceOn: ["name"] };

  it("are found path by path, with what needs a new object", () => {
    const { detailedDiff } = diffInputs(
      { name: "a", labels: { "a.b": "1", c: "2" }, list: ["x"], gone: true },
      { name: "b", labels: { "a.b": "2", c: "2" }, list: ["x", "y"] },
      rules,
    );
    assert.deepEqual(detailedDiff, {
      name: { kind: "update-replace", inputDiff: true },
      'labels["a.b"]': { kind: "update", inputDiff: true },
      "list[1]": { kind: "add", inputDiff: true },
      gone: { kind: "delete", inputDiff: true },
    });
  });

  it("are none between a value and itself", () => {
    fc.assert(
      fc.property(anyProperties, (properties) => {
        fc.pre(!containsUnknowns(properties));
        assert.deepEqual(diffInputs(properties, properties, rules).detailedDiff, {});
      }),
    );
  });

  it("count a value that isn't known yet as changed", () => {
    assert.deepEqual(diffInputs({ a: "x" }, { a: new Secret(UNKNOWN) }, rules).detailedDiff, {
      a: { kind: "update", inputDiff: true },
    });
  });

  it("are answered with what follows from them", () => {
    const response = diffResponse(diffInputs({ name: "a", b: { c: 1 } }, { name: "b", b: { c: 2 } }, rules));
    assert.deepEqual(response.getReplacesList(), ["name"]);
    assert.deepEqual(response.getDiffsList(), ["name", "b"]);
    assert.equal(response.getChanges(), 2);
    assert.equal(diffResponse({ detailedDiff: {} }).getChanges(), 1);
    assert.ok(diffResponse({ detailedDiff: {} }).getHasdetaileddiff());
  });
});

describe("plugins: inputs", () => {
  const fields: Fields = {
    name: { type: "string", required: true },
    size: { type: "integer", min: 1, default: 2 },
    uses: { type: "strings", oneOf: ["a", "b"] },
    deep: { type: { flag: { type: "boolean" } } },
    later: { type: "string", notImplemented: true },
  };
  const problems = (inputs: Properties) => checkFields(fields, inputs).map(({ property }) => property);

  it("pass where they are of the SDK's types, secret or not yet known", () => {
    assert.deepEqual(problems({ name: new Secret("x"), size: 1, uses: ["a", UNKNOWN], deep: { flag: true } }), []);
    assert.deepEqual(problems({ name: UNKNOWN, size: new Secret(UNKNOWN), deep: UNKNOWN }), []);
  });

  for (const [title, wrong, property] of [
    ["an unknown name", { nmae: "x" }, "nmae"],
    ["an unknown name inside", { deep: { flg: true } }, "deep.flg"],
    ["a wrong type", { size: "3" }, "size"],
    ["a fraction", { size: 1.5 }, "size"],
    ["a value below the least", { size: 0 }, "size"],
    ["a value that isn't allowed", { uses: ["a", "c"] }, "uses"],
    ["what only the official plugin has", { later: "x" }, "later"],
    ["null in the place of what is required", { name: null }, "name"],
  ] as const) {
    it(`are refused for ${title}`, () => {
      assert.deepEqual(problems({ name: "x", ...(wrong as unknown as Properties) }), [property]);
    });
  }

  it("are never shown by a refusal", () => {
    assert.doesNotMatch(JSON.stringify(checkFields(fields, { name: new Secret(77123) })), /77123/);
  });

  it("get their defaults where they are absent or null", () => {
    assert.deepEqual(withDefaults(fields, { name: "x", size: null }), { name: "x", size: 2 });
    assert.deepEqual(withDefaults(fields, { name: "x", size: 5 }), { name: "x", size: 5 });
  });
});

describe("plugins: configuration", () => {
  const config = new ConfigValues({ a: new Secret("x"), yes: "true", no: false, json: '{"k":1}', bad: "{", empty: "" });

  it("is read from plain values and from JSON text, secret or not", () => {
    assert.equal(config.string("a"), "x");
    assert.equal(config.string("empty"), undefined);
    assert.equal(config.string("absent"), undefined);
    assert.equal(config.boolean("yes"), true);
    assert.equal(config.boolean("no"), false);
    assert.deepEqual(config.json("json"), { k: 1 });
  });

  it("is refused by name where it is of another type", () => {
    assert.throws(() => config.boolean("a"), /"a" must be true or false/);
    assert.throws(() => config.json("bad"), /"bad" is not valid JSON/);
    assert.throws(() => config.string("no"), /"no" must be a string/);
  });
});
