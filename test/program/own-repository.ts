import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { checkoutDir } from "../../dev/paths";

/**
 * A copy of a project outside of the checkout, with the package as npm packs and unpacks it: what a repository of its own has. The package's dependencies are
 * those that the checkout has installed.
 *
 * @returns the folder
 */
export function ownRepository(project: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-own-"));
  cpSync(project, folder, { recursive: true });
  writeFileSync(
    path.join(folder, "package.json"),
    JSON.stringify({ name: "own", private: true, dependencies: { "@lucid/mesh": "*", tsx: "*" } }),
  );
  const modules = path.join(folder, "node_modules");
  const installed = path.join(checkoutDir, "node_modules");
  for (const name of packagesIn(installed).filter((one) => !one.startsWith("@lucid/"))) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(installed, name), path.join(modules, name));
  }
  const unpacked = path.join(modules, "@lucid", "mesh");
  mkdirSync(unpacked, { recursive: true });
  run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], checkoutDir);
  const { version } = JSON.parse(readFileSync(path.join(checkoutDir, "package.json"), "utf8")) as { version: string };
  run("tar", ["-xzf", path.join(folder, `lucid-mesh-${version}.tgz`), "-C", unpacked, "--strip-components=1"], folder);
  return folder;
}

function packagesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(path.join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
    );
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
}
