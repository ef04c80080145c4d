import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { cacheDir, stateDir } from "../../../dev/paths";
import { debianPackages, goTools } from "../../../dev/toolchain/catalog";
import { checkVersions, parseInstalled } from "../../../dev/toolchain/debian";
import { checkRoom } from "../../../dev/toolchain/disk";
import { servicesAmong } from "../../../dev/toolchain/services";

const toolchain = path.resolve(__dirname, "../../../dev/toolchain");

describe("toolchain: places", () => {
  const home = os.homedir();
  const cases: readonly (readonly [Record<string, string>, string, string])[] = [
    [{}, path.join(home, ".cache/lucid-mesh"), path.join(home, ".local/state/lucid-mesh")],
    [{ XDG_CACHE_HOME: "/c", XDG_STATE_HOME: "/s" }, "/c/lucid-mesh", "/s/lucid-mesh"],
    [{ XDG_CACHE_HOME: "relative" }, path.join(home, ".cache/lucid-mesh"), path.join(home, ".local/state/lucid-mesh")],
    [{ LUCID_MESH_CACHE: "/mine", LUCID_MESH_STATE: "/too", XDG_CACHE_HOME: "/c" }, "/mine", "/too"],
    [{ LUCID_MESH_CACHE: "" }, path.join(home, ".cache/lucid-mesh"), path.join(home, ".local/state/lucid-mesh")],
  ];
  for (const [env, cache, state] of cases) {
    it(`are ${cache} and ${state} with ${JSON.stringify(env)}`, () => {
      assert.equal(cacheDir(env), cache);
      assert.equal(stateDir(env), state);
    });
  }
});

describe("toolchain: the catalogue", () => {
  for (const tool of goTools) {
    it(`has ${tool.name} pinned, at the version it will report`, () => {
      const module = fs.readFileSync(path.join(toolchain, "modules", tool.name, "go.mod"), "utf8");
      assert.ok(fs.statSync(path.join(toolchain, "modules", tool.name, "go.sum")).size > 0);
      assert.doesNotMatch(module, /=> *[./]/, "no replacement by a folder of this machine");
      if (tool.package !== ".") {
        assert.match(module, new RegExp(`^tool ${tool.package}$`, "m"));
      }
      // Jaeger numbers its module otherwise than its releases.
      const version = tool.name === "jaeger" ? "1.76.0" : tool.version;
      assert.match(module, new RegExp(` v${version.replaceAll(".", "\\.")}(\\+incompatible)?( |$)`, "m"));
    });
  }

  it("has no module that nobody builds", () => {
    const folders = fs.readdirSync(path.join(toolchain, "modules"));
    assert.deepEqual(folders.sort(), goTools.map((tool) => tool.name as string).sort());
  });
});

describe("toolchain: Debian packages", () => {
  const installed = parseInstalled(
    "ii |prometheus|2.42.0+ds-5+deb12u1\nii |busybox-static|1:1.35.0-4+b1\nrc |runc|1.1.5\nun |skopeo|\nii |libc6:amd64|2.36\n",
  );

  it("count as installed only when they are whole", () => {
    assert.deepEqual([...installed.keys()], ["prometheus", "busybox-static", "libc6"]);
  });

  it("must have the version under which their image is published", () => {
    checkVersions(debianPackages, installed);
    const newer = new Map([["prometheus", "2.53.1"]]);
    assert.throws(() => {
      checkVersions(debianPackages, newer);
    }, /^Refusal: prometheus is 2\.53\.1, not 2\.42\.0: .*$/);
  });

  it("bring services that are found by their files", () => {
    const files = [
      "/lib/systemd/system/docker.service",
      "/usr/lib/systemd/system/docker.socket",
      "/lib/systemd/system/user@.service",
      "/etc/init.d/docker",
      "/usr/share/doc/docker.io/etc/init.d/x",
    ];
    assert.deepEqual(servicesAmong(files), { units: ["docker.service", "docker.socket"], scripts: ["docker"] });
  });
});

describe("toolchain: bad input", () => {
  it("a full disk is refused in one line, all that lies on it counted together", () => {
    const wanted = [
      { folder: "/cache", gigabytes: 4 },
      { folder: "/go", gigabytes: 3 },
      { folder: "/usr", gigabytes: 1 },
    ];
    const disks = (folder: string) => ({ id: folder === "/usr" ? 2 : 1, freeBytes: folder === "/usr" ? 2e9 : 5e9 });
    assert.throws(() => {
      checkRoom(wanted, disks);
    }, /^Refusal: Not enough room on the disk of \/cache: about 7\.0 GB are needed, 5\.0 GB are free\. .*run again\.$/);
    checkRoom(wanted.slice(0, 1), disks);
  });

  const run = (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const main = path.join(toolchain, "main.ts");
    const ended = spawnSync(process.execPath, ["-r", "tsx/cjs", main, ...args], {
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    return { status: ended.status, lines: (ended.stdout + ended.stderr).trimEnd().split("\n") };
  };

  it("a missing Go is said in one line", () => {
    const { status, lines } = run([], { PATH: "/nowhere" });
    assert.equal(status, 1);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^toolchain: Go can't be run \(ENOENT\): install Go .* and run again\.$/);
  }).timeout(20_000);

  it("an unknown tool is said in one line with those there are", () => {
    const { status, lines } = run(["--only", "envoy,envoi"], {});
    assert.equal(status, 1);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^toolchain: --only: no such tool: envoi; there are debian, envoy, .*\.$/);
  }).timeout(20_000);

  it("a missing Python is said in one line", () => {
    const empty = fs.mkdtempSync(path.join(os.tmpdir(), "toolchain-cache-"));
    try {
      const { status, lines } = run(["--only", "envoy"], { PATH: "/nowhere", LUCID_MESH_CACHE: empty });
      assert.equal(status, 1);
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? "", /^toolchain: python3 is missing, .* and then this again\.$/);
    } finally {
      fs.rmSync(empty, { recursive: true });
    }
  }).timeout(20_000);
});
