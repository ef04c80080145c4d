import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { extract } from "tar-stream";
import { packContext, relativeDockerfile } from "../../../dev/plugins/docker/archive";
import { listContext } from "../../../dev/plugins/docker/context";
import { contextDigest, goMode } from "../../../dev/plugins/docker/digest";

describe("docker plugin: context", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lucid-docker-"));
    write("Dockerfile", "FROM scratch\n");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Writes a file of the context with a mode that no umask changes. */
  function write(name: string, text: string, mode = 0o644): void {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  }

  const dockerfile = (): string => path.join(folder, "Dockerfile");

  const listed = (): string[] => listContext(folder, dockerfile()).map(({ name }) => name);

  describe("context", () => {
    it("is everything in the folder, folders first", () => {
      write("dist/main.cjs", "");
      mkdirSync(path.join(folder, "empty"));
      assert.deepEqual(listed(), ["Dockerfile", "dist", "dist/main.cjs", "empty"]);
    });

    it("leaves out what .dockerignore names, from the folder's root on, but for what it takes back", () => {
      write(".dockerignore", "# comment\n*\n!dist/main.cjs\n!Dockerfile\n");
      write("dist/main.cjs", "");
      write("dist/test.cjs", "");
      write("src/main.ts", "");
      assert.deepEqual(listed(), ["Dockerfile", "dist", "dist/main.cjs"]);
    });

    it("takes a pattern without ** for the root alone, as Docker does and git doesn't", () => {
      write(".dockerignore", "node_modules\n");
      write("node_modules/a", "");
      write("sub/node_modules/a", "");
      assert.ok(listed().includes("sub/node_modules/a"));
      assert.ok(!listed().includes("node_modules/a"));
    });

    it("is packed for root, with its Dockerfile even where that is excluded", async () => {
      write(".dockerignore", "*\n!run.sh\n");
      write("run.sh", "#!/bin/sh\n", 0o755);
      const archive = packContext(folder, dockerfile());
      const found: string[] = [];
      const reader = extract();
      reader.on("entry", ({ name, mode, uid, gid }, body, next) => {
        found.push(`${name} ${mode.toString(8)} ${String(uid)}:${String(gid)}`);
        body.resume();
        next();
      });
      await new Promise<void>((resolve, reject) => {
        reader.on("finish", () => {
          resolve();
        });
        reader.on("error", reject);
        archive.stream.on("error", reject);
        archive.stream.on("data", (chunk: Buffer) => reader.write(chunk));
        archive.stream.on("end", () => {
          reader.end(undefined);
        });
      });
      assert.deepEqual(found, ["run.sh 755 0:0", "Dockerfile 644 0:0"]);
      assert.equal(archive.dockerfile, "Dockerfile");
    });

    it("has a Dockerfile from outside under a name of its own", () => {
      const context = path.join(folder, "context");
      mkdirSync(context);
      assert.equal(relativeDockerfile(context, dockerfile()), "../Dockerfile");
      const archive = packContext(context, dockerfile());
      assert.doesNotMatch(archive.dockerfile, /\//);
      archive.stream.destroy();
    });
  });

  describe("digest", () => {
    it("is the official provider's: names, modes and contents", () => {
      // Reckoned apart from the code: sha256 of name, mode and the content's sha256, each followed by a zero byte.
      assert.equal(
        contextDigest(folder, dockerfile()),
        "08b80ef516606fecfe18e69a389cdf23b94046aa0deb86df9c102287d574bc4f",
      );
    });

    it("changes with contents, names and modes, not with excluded files", () => {
      write(".dockerignore", "secret\n.dockerignore\n");
      write("a", "1");
      const digests = [contextDigest(folder, dockerfile())];
      write("secret", "x");
      assert.equal(contextDigest(folder, dockerfile()), digests[0]);
      write("a", "2");
      digests.push(contextDigest(folder, dockerfile()));
      chmodSync(path.join(folder, "a"), 0o755);
      digests.push(contextDigest(folder, dockerfile()));
      write("Dockerfile", "FROM other\n");
      digests.push(contextDigest(folder, dockerfile()));
      assert.equal(new Set(digests).size, 4);
    });

    it("refuses a link that leads nowhere, by name", () => {
      symlinkSync("nowhere", path.join(folder, "link"));
      assert.throws(() => contextDigest(folder, dockerfile()), /link .*\/link of the build context leads nowhere/);
    });

    const modes: readonly (readonly [mode: number, text: string])[] = [
      [0, "----------"],
      [0o100644, "-rw-r--r--"],
      [0o100755, "-rwxr-xr-x"],
      [0o120777, "Lrwxrwxrwx"],
      [0o104755, "urwxr-xr-x"],
    ];
    for (const [mode, text] of modes) {
      it(`writes the mode ${mode.toString(8)} as Go does`, () => {
        assert.equal(goMode(mode), text);
      });
    }
  });
});
