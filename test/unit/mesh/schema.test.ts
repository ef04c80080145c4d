import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { meshJsonSchema } from "../../../mesh";

const ROOT = join(__dirname, "..", "..", "..");

/** Every key of the document with its description: `.services[].ports[].name`. */
function keysOf(node: unknown, path = ""): { path: string; key: string; description?: string }[] {
  if (typeof node !== "object" || node === null) return [];
  const { properties, items } = node as { properties?: Record<string, { description?: string }>; items?: unknown };
  const own = Object.entries(properties ?? {}).flatMap(([key, inner]) => {
    const at = `${path}.${key}`;
    return [{ path: at, key, description: inner.description }, ...keysOf(inner, at)];
  });
  return [...own, ...keysOf(items, `${path}[]`)];
}

describe("mesh.schema.json", () => {
  it("is what the schema says (npx tsx dev/write-schema.ts writes it)", () => {
    const written: unknown = JSON.parse(readFileSync(join(ROOT, "mesh", "mesh.schema.json"), "utf8"));
    assert.deepEqual(written, JSON.parse(JSON.stringify(meshJsonSchema())));
  });

  it("describes every key", () => {
    const keys = keysOf(meshJsonSchema());
    assert.ok(keys.length > 40, String(keys.length));
    const undescribed = keys.filter(({ description }) => description === undefined);
    assert.deepEqual(undescribed, []);
  });
});

describe("docs/configuration.md", () => {
  it("has every key of the document", () => {
    const text = readFileSync(join(ROOT, "docs", "configuration.md"), "utf8");
    const missing = keysOf(meshJsonSchema()).filter(({ key }) => !new RegExp(`[\`.]${key}[\`.]`).test(text));
    assert.deepEqual(missing, []);
  });
});
