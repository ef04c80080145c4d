/** Which of the tree's rooms takes something from which, tests aside: README.md, "Where things are". */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";

const ROOT = path.resolve(__dirname, "../..");

/** From whom each may take what it needs. The rules of the pack and the proof's reading of objects share nothing with what generates those. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  mesh: [],
  html: [],
  envoy: ["mesh"],
  admission: ["mesh"],
  policies: [],
  components: ["mesh", "envoy", "admission"],
  proof: ["mesh", "policies"],
  services: ["mesh", "envoy", "html"],
  cli: ["mesh", "envoy", "admission", "components", "proof", "policies", "html", "dev"],
  dev: ["mesh", "components", "cli"],
};

const LEFT_OUT = ["node_modules", "dist", "test"];

function sources(folder: string): string[] {
  return fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.includes(entry.name) ? [] : sources(file);
    return entry.name.endsWith(".ts") ? [file] : [];
  });
}

/** Rooms from which a file takes something, by what it imports or re-exports. */
function takenFrom(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(fs.readFileSync(path.join(ROOT, file), "utf8"), true, true);
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."))
    .map((name) => path.relative(ROOT, path.resolve(ROOT, path.dirname(file), name)).split(path.sep)[0] ?? "");
}

describe("rooms", () => {
  it("are all that the package is made of", () => {
    const { files } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")) as { files: string[] };
    const packed = files.map((pattern) => pattern.split("/")[0] ?? "").filter((name) => !name.includes("."));
    assert.deepEqual(
      [...new Set(packed)].filter((name) => !["docs", "examples"].includes(name)).sort(),
      Object.keys(TAKES).sort(),
    );
  });

  for (const [room, allowed] of Object.entries(TAKES)) {
    it(`${room}/ takes ${allowed.length === 0 ? "nothing from any other" : `from ${allowed.join(", ")} alone`}`, () => {
      const taken = sources(room).flatMap((file) => takenFrom(file).map((from) => ({ file, from })));
      assert.ok(taken.length > 0, "nothing was read");
      assert.deepEqual(
        taken.filter(({ from }) => from !== room && !allowed.includes(from)),
        [],
      );
    });
  }
});
