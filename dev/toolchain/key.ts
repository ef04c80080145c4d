import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** Counted up when what a build makes of the same inputs changes (another layout of the result, say). */
const recipe = "1";

/** Everything that decides what a build yields. */
export interface BuildInputs {
  readonly tool: string;
  /** File name (with `/`) to content. */
  readonly files: Readonly<Record<string, string>>;
  /** Arguments and environment of the build, in order. */
  readonly arguments: readonly string[];
  /** The compiler: what `go env` says of version and target; empty for what isn't compiled. */
  readonly compiler: string;
}

/**
 * The name under which a build is kept: equal inputs give equal keys, in whatever order files are listed. 24 hexadecimal
 * digits of SHA-256.
 */
export function buildKey(inputs: BuildInputs): string {
  const files = Object.entries(inputs.files).sort(([a], [b]) => (a < b ? -1 : 1));
  // JSON keeps the parts apart: no two different inputs give one text.
  const text = JSON.stringify([recipe, inputs.tool, files, inputs.arguments, inputs.compiler]);
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}

/** The files below `folder`, by name relative to it; tests and hidden files are no part of a build. */
export function readSources(folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && !entry.name.startsWith(".") && !entry.name.endsWith("_test.go")) {
      const file = path.join(entry.parentPath, entry.name);
      files[path.relative(folder, file).split(path.sep).join("/")] = fs.readFileSync(file, "utf8");
    }
  }
  return files;
}
