import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

import { cacheDir, checkoutDir } from "../paths";
import { sdkManifest } from "./packages";

/** Milliseconds after which a bundle that no run has used is deleted. */
const UNUSED_FOR = 7 * 24 * 3_600_000;

/**
 * Makes the executables of the given stand-ins, `pulumi-resource-<name>`, each in a folder of its own; returns the folders. They lie in the user's cache under a
 * digest of their sources and of the locked dependencies: nothing is bundled twice.
 */
export async function bundleStandIns(names: readonly string[]): Promise<string[]> {
  const home = path.join(cacheDir(), "plugins");
  const bundles = path.join(home, sourceDigest(path.join(checkoutDir, "dev", "plugins"), lockFile()));
  const missing = names.filter((name) => !fs.existsSync(executable(bundles, name)));
  if (missing.length > 0) {
    fs.mkdirSync(bundles, { recursive: true });
    await Promise.all(
      missing.map(async (name) => {
        await bundle(name, bundles);
      }),
    );
    removeUnused(home, Date.now());
  }
  const now = new Date();
  fs.utimesSync(bundles, now, now);
  return names.map((name) => path.join(bundles, name));
}

/** Digest of everything that goes into the bundles: the TypeScript files below `folder`, and the lock file. */
export function sourceDigest(folder: string, lock: string): string {
  const files = fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort();
  const digest = createHash("sha256");
  for (const name of files) {
    digest
      .update(`${name}\0`)
      .update(fs.readFileSync(path.join(folder, name)))
      .update("\0");
  }
  return digest.update(fs.readFileSync(lock)).digest("hex").slice(0, 24);
}

function lockFile(): string {
  return path.join(checkoutDir, "package-lock.json");
}

function executable(bundles: string, name: string): string {
  return path.join(bundles, name, `pulumi-resource-${name}`);
}

async function bundle(name: string, bundles: string): Promise<void> {
  const entry = path.join(checkoutDir, "dev", "plugins", name, "main.ts");
  if (!fs.existsSync(entry)) {
    throw new Error(
      `there is no stand-in for the Pulumi plugin "${name}": ${path.relative(checkoutDir, entry)} is missing`,
    );
  }
  const draft = fs.mkdtempSync(path.join(bundles, `.${name}-`));
  try {
    // Loaded only where it is needed: most runs bundle nothing.
    const { build } = await import("esbuild");
    const file = path.join(draft, `pulumi-resource-${name}`);
    await build({
      entryPoints: [entry],
      outfile: file,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
      banner: { js: "#!/usr/bin/env node" },
      logLevel: "error",
      legalComments: "none",
    });
    fs.chmodSync(file, 0o755);
    // A stand-in reads from it which version it stands for, by the name that the SDK has.
    const manifest = path.join(draft, "node_modules", "@pulumi", name, "package.json");
    fs.mkdirSync(path.dirname(manifest), { recursive: true });
    fs.copyFileSync(sdkManifest(name), manifest);
    moveInto(draft, path.join(bundles, name));
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** Another run may have made the same thing meanwhile; its own is as good. */
function moveInto(draft: string, target: string): void {
  fs.chmodSync(draft, 0o755);
  try {
    fs.renameSync(draft, target);
  } catch (error) {
    if (!fs.existsSync(target)) {
      throw error;
    }
  }
}

function removeUnused(home: string, now: number): void {
  for (const entry of fs.readdirSync(home, { withFileTypes: true })) {
    const folder = path.join(home, entry.name);
    if (entry.isDirectory() && now - fs.statSync(folder).mtimeMs > UNUSED_FOR) {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }
}
