import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { sourceDigest } from "../../../dev/plugins/bundle";
import { download, isInstalled, isRefused, readRefusals } from "../../../dev/plugins/official";
import { PLUGIN_NAMES, pluginVersion, wantedPlugins } from "../../../dev/plugins/packages";
import { describePlugins } from "../../../dev/plugins/select";

const TLS = { name: "tls", version: "5.6.1" };

describe("plugin selection", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lucid-plugins-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Writes a file below the test's folder, and the folders it lies in. */
  function write(name: string, text: string, mode = 0o644): string {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { mode });
    return file;
  }

  describe("which plugin", () => {
    it("takes the plugin's version before the package's", () => {
      assert.equal(pluginVersion('{"version": "2.0.0", "pulumi": {"resource": true, "version": "1.0.0"}}'), "1.0.0");
    });

    it("takes the package's version where the SDK says no other", () => {
      assert.equal(pluginVersion('{"version": "v2.0.0", "pulumi": {"resource": true}}'), "2.0.0");
    });

    it("knows the version of every provider of the program, and has a stand-in for it", () => {
      const wanted = wantedPlugins();
      assert.deepEqual(
        wanted.map(({ name }) => name),
        [...PLUGIN_NAMES],
      );
      for (const { name, version } of wanted) {
        assert.match(version, /^\d+\.\d+\.\d+/);
        assert.ok(existsSync(path.join(__dirname, "../../../dev/plugins", name, "main.ts")), name);
      }
    });
  });

  describe("an installed one", () => {
    const env = (): Record<string, string> => ({ PULUMI_HOME: folder, LUCID_MESH_CACHE: path.join(folder, "cache") });

    it("is found in Pulumi's folder, in its own version alone", () => {
      assert.equal(isInstalled(TLS, env()), false);
      write("plugins/resource-tls-v5.6.1/pulumi-resource-tls", "", 0o755);
      assert.equal(isInstalled(TLS, env()), true);
      assert.equal(isInstalled({ ...TLS, version: "5.6.2" }, env()), false);
    });

    it("is none while it is unpacked", () => {
      write("plugins/resource-tls-v5.6.1/pulumi-resource-tls", "", 0o755);
      write("plugins/resource-tls-v5.6.1.partial", "");
      assert.equal(isInstalled(TLS, env()), false);
    });

    it("is found on the PATH", () => {
      write("bin/pulumi-resource-tls", "", 0o755);
      assert.equal(isInstalled(TLS, { ...env(), PATH: path.join(folder, "bin") }), true);
    });

    it("is no stand-in that an outer run put on the PATH", () => {
      write("cache/plugins/abc/tls/pulumi-resource-tls", "", 0o755);
      assert.equal(isInstalled(TLS, { ...env(), PATH: path.join(folder, "cache/plugins/abc/tls") }), false);
    });
  });

  describe("downloads", () => {
    /** A `pulumi` that notes its arguments and ends like this. */
    const env = (ending: string): Record<string, string> => {
      write("cache/bin/pulumi", `#!/bin/sh\necho "$@" >> ${path.join(folder, "calls")}\n${ending}\n`, 0o755);
      return { LUCID_MESH_CACHE: path.join(folder, "cache"), PATH: process.env.PATH ?? "" };
    };
    const calls = (): string => readFileSync(path.join(folder, "calls"), "utf8");

    it("ask Pulumi for the plugin", async () => {
      assert.deepEqual(await download([TLS], env("exit 0")), [TLS]);
      assert.equal(calls(), "plugin install resource tls 5.6.1\n");
    });

    it("remember a refusal with its reason, and don't try again", async () => {
      const refusing = env("echo 'error: no such host' >&2; exit 255");
      assert.deepEqual(await download([TLS], refusing), []);
      assert.deepEqual(await download([TLS], refusing), []);
      assert.equal(calls(), "plugin install resource tls 5.6.1\n");
      const refusals = readRefusals(path.join(folder, "cache/plugins/refused.json"));
      assert.equal(refusals["tls@5.6.1"]?.reason, "error: no such host");
    });

    it("are left out without a pulumi", async () => {
      assert.deepEqual(await download([TLS], { LUCID_MESH_CACHE: folder, PATH: "" }), []);
      assert.equal(existsSync(path.join(folder, "plugins")), false);
    });
  });

  describe("a refusal", () => {
    const at = "2026-01-01T00:00:00.000Z";
    const refusals = { "tls@5.6.1": { at, reason: "no such host" } };
    const hours = (count: number): number => Date.parse(at) + count * 3_600_000;

    it("holds for twelve hours", () => {
      assert.equal(isRefused(refusals, TLS, hours(11.9)), true);
      assert.equal(isRefused(refusals, TLS, hours(12.1)), false);
    });

    it("of another version, of a time to come or without a time holds for nothing", () => {
      assert.equal(isRefused(refusals, { ...TLS, version: "5.6.2" }, hours(1)), false);
      assert.equal(isRefused(refusals, TLS, hours(-1)), false);
      assert.equal(isRefused({ "tls@5.6.1": { at: "soon", reason: "" } }, TLS, hours(1)), false);
    });

    it("is none where the record is missing or damaged", () => {
      assert.deepEqual(readRefusals(path.join(folder, "none.json")), {});
      assert.deepEqual(readRefusals(write("refused.json", "{")), {});
    });
  });

  describe("the digest of the sources", () => {
    it("changes with a source's content and name and with the lock file, not with other files", () => {
      const lock = write("package-lock.json", "1");
      write("src/tls/main.ts", "a");
      const src = path.join(folder, "src");
      const first = sourceDigest(src, lock);
      write("src/README.md", "read me");
      assert.equal(sourceDigest(src, lock), first);
      write("src/tls/main.ts", "b");
      const second = sourceDigest(src, lock);
      write("src/tls/more.ts", "");
      const third = sourceDigest(src, lock);
      write("package-lock.json", "2");
      assert.equal(new Set([first, second, third, sourceDigest(src, lock)]).size, 4);
    });
  });

  describe("the line of a run", () => {
    const wanted = [TLS, { name: "docker", version: "5.2.0" }];

    it("names stand-ins as such, and where they are described", () => {
      const [, docker] = wanted;
      assert.ok(docker !== undefined);
      assert.equal(
        describePlugins(wanted, [docker]),
        "plugins: tls 5.6.1 (official), docker 5.2.0 (stand-in) – official ones can't be downloaded here; see dev/plugins/README.md",
      );
    });

    it("says no more where all are official", () => {
      assert.equal(describePlugins(wanted, []), "plugins: tls 5.6.1 (official), docker 5.2.0 (official)");
    });
  });
});
