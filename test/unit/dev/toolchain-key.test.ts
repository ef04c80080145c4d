import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import * as fc from "fast-check";

import { buildKey, readSources, type BuildInputs } from "../../../dev/toolchain/key";

const inputs: BuildInputs = {
  tool: "consul",
  files: { "go.mod": "module m", "go.sum": "sum", "main.go": "package main" },
  arguments: ["build", "-trimpath"],
  compiler: "GOVERSION=go1.26.8 GOOS=linux",
};

describe("toolchain: the key of a build", () => {
  it("does not depend on the order in which files are listed", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (files) => {
        const reversed = Object.fromEntries(Object.entries(files).reverse());
        assert.equal(buildKey({ ...inputs, files }), buildKey({ ...inputs, files: reversed }));
      }),
    );
  });

  const changes: Readonly<Record<string, Partial<BuildInputs>>> = {
    "the tool": { tool: "coredns" },
    "a file's content": { files: { ...inputs.files, "go.sum": "other" } },
    "a file's name": { files: { "go.mod": "module m", "go.sum": "sum", "other.go": "package main" } },
    "a further file": { files: { ...inputs.files, "more.go": "" } },
    "a flag": { arguments: ["build", "-trimpath", "-race"] },
    "where one flag ends": { arguments: ["build -trimpath"] },
    "the compiler": { compiler: "GOVERSION=go1.27.0 GOOS=linux" },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`changes with ${what}`, () => {
      assert.notEqual(buildKey({ ...inputs, ...change }), buildKey(inputs));
    });
  }

  it("is made of the module's sources alone", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "toolchain-key-"));
    try {
      fs.mkdirSync(path.join(folder, "sub"));
      for (const file of ["go.mod", "main.go", "main_test.go", ".swp", "sub/more.go"]) {
        fs.writeFileSync(path.join(folder, file), file);
      }
      assert.deepEqual(Object.keys(readSources(folder)).sort(), ["go.mod", "main.go", "sub/more.go"]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
