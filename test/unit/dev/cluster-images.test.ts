import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { imageName, images, type ImageSpec } from "../../../dev/cluster/images/catalogue";
import { configOf, keyOf } from "../../../dev/cluster/images/publish";
import { layOut, parseLibraries } from "../../../dev/cluster/images/rootfs";

const image: ImageSpec = {
  repository: "example/tool",
  tag: "1.0.0",
  files: [{ program: "fortio", path: "/usr/bin/tool" }],
  shell: false,
  users: { tool: { uid: 10, gid: 11, home: "/home/tool" } },
  entrypoint: ["/usr/bin/tool"],
  user: "10",
};

describe("images of the embedded cluster", () => {
  let directory: string;
  let tool: string;
  const programPath = (): string => tool;

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "images-"));
    tool = path.join(directory, "tool");
    fs.writeFileSync(tool, "#!/bin/sh\n");
  });

  afterEach(() => {
    fs.rmSync(directory, { recursive: true });
  });

  it("have a name of their own each, and a pinned tag", () => {
    const names = images.map(imageName);
    assert.equal(new Set(names).size, names.length);
    for (const { tag } of images) {
      assert.match(tag, /\d/);
      assert.notEqual(tag, "latest");
    }
  });

  it("are known by their key: the same for the same, another for another program or specification", () => {
    const key = keyOf(image, programPath);
    assert.equal(keyOf({ ...image }, programPath), key);
    assert.notEqual(keyOf({ ...image, user: "11" }, programPath), key);
    fs.writeFileSync(tool, "#!/bin/sh\necho other\n");
    assert.notEqual(keyOf(image, programPath), key);
  });

  it("say how they are started in the form of OCI", () => {
    assert.deepEqual((configOf(image, "sha256:00") as { config: object }).config, {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Entrypoint: ["/usr/bin/tool"],
      User: "10",
      WorkingDir: "/",
    });
  });

  it("hold their program, a directory for temporary files and their users", async () => {
    const root = path.join(directory, "root");
    await layOut(image, programPath, root);
    assert.equal(fs.readFileSync(path.join(root, "usr/bin/tool"), "utf8"), "#!/bin/sh\n");
    assert.equal(fs.statSync(path.join(root, "usr/bin/tool")).mode & 0o777, 0o755);
    assert.equal(fs.statSync(path.join(root, "tmp")).mode & 0o7777, 0o1777);
    assert.match(fs.readFileSync(path.join(root, "etc/passwd"), "utf8"), /^tool:x:10:11::\/home\/tool:/m);
    assert.equal(fs.existsSync(path.join(root, "bin/sh")), false);
  });

  it("take along the libraries that the loader names, and the loader", () => {
    const listing = `	linux-vdso.so.1 (0x00007ffd)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f66)
	/lib64/ld-linux-x86-64.so.2 (0x00007f67)
`;
    assert.deepEqual(parseLibraries(listing, "x"), ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
    assert.throws(() => parseLibraries("	libz.so.1 => not found\n", "x"), /needs the library libz\.so\.1/);
  });
});
