import dockerignore from "@balena/dockerignore";
import * as fs from "node:fs";
import * as path from "node:path";

/** One thing in a build context. */
export interface ContextEntry {
  /** Path below the context, with slashes. */
  readonly name: string;
  readonly file: string;
  readonly stats: fs.Stats;
}

/** The file with the context's exclusions: `.dockerignore`, or `<dockerfile>.dockerignore` for a Dockerfile of another name. */
export function ignoreFile(context: string, dockerfile: string): string {
  const name = path.basename(dockerfile);
  return path.join(context, name === "Dockerfile" ? ".dockerignore" : `${name}.dockerignore`);
}

/** What a context holds besides its excluded files, by name, folders before what is in them. Links are not followed. */
export function listContext(context: string, dockerfile: string): ContextEntry[] {
  const file = ignoreFile(context, dockerfile);
  const patterns = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  const ignore = dockerignore().add(patterns);
  // A pattern with `!` may take back something from within an excluded folder.
  const takesBack = /^\s*!/m.test(patterns);
  const visit = (folder: string, prefix: string): ContextEntry[] =>
    fs
      .readdirSync(folder)
      .sort(byBytes)
      .flatMap((base): ContextEntry[] => {
        const name = `${prefix}${base}`;
        const entry = { name, file: path.join(folder, base), stats: fs.lstatSync(path.join(folder, base)) };
        const excluded = ignore.ignores(name);
        if (!entry.stats.isDirectory()) {
          return excluded ? [] : [entry];
        }
        const inside = excluded && !takesBack ? [] : visit(entry.file, `${name}/`);
        return excluded && inside.length === 0 ? [] : [entry, ...inside];
      });
  return visit(context, "");
}

/** Go's order of names, which the digest depends on. */
export function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
