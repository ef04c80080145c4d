import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

import { listContext } from "./context";

/**
 * Digest of a build context and its Dockerfile, made as the official provider makes it (names, modes and contents; no times), so
 * that a stack which passes from the one to the other isn't built anew.
 */
export function contextDigest(context: string, dockerfile: string): string {
  const digest = createHash("sha256");
  const add = (name: string, mode: string, content: Buffer | string): void => {
    digest.update(name).update(mode).update(createHash("sha256").update(content).digest()).update("\0");
  };
  // Under this name whatever its own is, and with no mode: the builder sees its content alone.
  add("Dockerfile", goMode(0), fs.readFileSync(dockerfile));
  for (const { name, file, stats } of listContext(context, dockerfile)) {
    if (stats.isSymbolicLink()) {
      add(name, goMode(stats.mode), linkTarget(context, file));
    } else if (stats.isFile()) {
      add(name, goMode(stats.mode), fs.readFileSync(file));
    }
  }
  return digest.digest("hex");
}

/** Where a link leads in the end, written as the context's path is: relative where that is. */
function linkTarget(context: string, file: string): string {
  if (!fs.existsSync(file)) {
    throw new Error(
      `the link ${file} of the build context leads nowhere; remove it, or exclude it in the .dockerignore`,
    );
  }
  const target = fs.realpathSync(file);
  return path.isAbsolute(context) ? target : path.relative(process.cwd(), target);
}

const TYPE_MASK = 0o170000;
const LINK = 0o120000;

/** A file's mode as Go prints it: `-rw-r--r--`, `Lrwxrwxrwx`. */
export function goMode(mode: number): string {
  const special = [
    (mode & TYPE_MASK) === LINK ? "L" : "",
    (mode & 0o4000) === 0 ? "" : "u",
    (mode & 0o2000) === 0 ? "" : "g",
    (mode & 0o1000) === 0 ? "" : "t",
  ].join("");
  const bits = "rwxrwxrwx".replace(/./g, (letter, index: number) => ((mode & (0o400 >> index)) === 0 ? "-" : letter));
  return `${special === "" ? "-" : special}${bits}`;
}
