#!/usr/bin/env node
// Runs a command of the project on a machine that may have nothing installed yet: installs the npm dependencies where they are missing or
// older than the lock file, then hands over to the TypeScript command. No dependency of its own.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const checkout = path.resolve(import.meta.dirname, "..");
const stamp = path.join(checkout, "node_modules", ".lucid-installed");

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node ${process.versions.node} is too old: install Node 20.19 or later and run this again`);
}

const [command, ...args] = process.argv.slice(2);
if (command === undefined) fail("usage: node dev/run.mjs <file below dev/> [arguments]");

const wanted = createHash("sha256")
  .update(readFileSync(path.join(checkout, "package-lock.json")))
  .update(process.version)
  .digest("hex");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  const started = Date.now();
  console.log("npm dependencies: installing");
  const install = spawnSync("npm", ["ci", "--no-progress", "--loglevel=error"], { cwd: checkout, stdio: "inherit" });
  if (install.error || install.status !== 0) {
    fail("npm ci failed (see above); mend the cause and run this again, it goes on from there");
  }
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
  console.log(`npm dependencies: installed in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

const run = spawnSync(process.execPath, ["--import", "tsx", path.join(checkout, "dev", command), ...args], {
  cwd: checkout,
  stdio: "inherit",
});
if (run.error) fail(`dev/${command} could not be started: ${run.error.message}`);
process.exit(run.status ?? 1);

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
