import * as fs from "node:fs";
import * as path from "node:path";

const unusedDaysKept = 30;

/**
 * Finished builds, `<cache>/builds/<tool>/<key>/`, and the names they are called by, `<cache>/bin/<program>`, which are
 * links to them. A build is there whole or not at all.
 */
export class Store {
  private readonly builds: string;
  private readonly temporary: string;

  /** @param cache the cache's root; made when something is put into it */
  public constructor(
    cache: string,
    /** Folder of the links. */
    public readonly bin: string = path.join(cache, "bin"),
  ) {
    this.builds = path.join(cache, "builds");
    this.temporary = path.join(cache, "tmp");
  }

  /**
   * Points the links of a build's programs at it.
   * @returns false when there is no such build: it has to be made
   */
  public activate(tool: string, key: string, programs: readonly string[]): boolean {
    const folder = path.join(this.builds, tool, key);
    if (!programs.every((program) => fs.existsSync(path.join(folder, program)))) {
      return false;
    }
    const now = new Date();
    fs.utimesSync(folder, now, now);
    fs.mkdirSync(this.bin, { recursive: true });
    for (const program of programs) {
      this.link(path.join(folder, program), path.join(this.bin, program));
    }
    return true;
  }

  /**
   * Makes a build in a folder of its own and puts it in place at once. To be called under the cache's lock.
   * @param make fills the folder that it is given
   */
  public async add(tool: string, key: string, make: (folder: string) => Promise<void>): Promise<void> {
    const folder = path.join(this.temporary, `${tool}-${key}`);
    const place = path.join(this.builds, tool, key);
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    try {
      await make(folder);
      fs.mkdirSync(path.dirname(place), { recursive: true });
      // An incomplete one, if any: a complete one would not be made again.
      fs.rmSync(place, { recursive: true, force: true });
      fs.renameSync(folder, place);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Removes what a killed run left behind, and builds that no checkout has used for a month. */
  public prune(now: number = Date.now()): void {
    fs.rmSync(this.temporary, { recursive: true, force: true });
    for (const tool of listFolders(this.builds)) {
      for (const build of listFolders(tool)) {
        if (now - fs.statSync(build).mtimeMs > unusedDaysKept * 24 * 3600 * 1000) {
          fs.rmSync(build, { recursive: true, force: true });
        }
      }
    }
  }

  private link(target: string, name: string): void {
    const relative = path.relative(path.dirname(name), target);
    if (
      fs.lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink() === true &&
      fs.readlinkSync(name) === relative
    ) {
      return;
    }
    // Renamed into place, so that the name is never missing for another process.
    const temporary = `${name}.${String(process.pid)}`;
    fs.rmSync(temporary, { force: true });
    fs.symlinkSync(relative, temporary);
    fs.renameSync(temporary, name);
  }
}

function listFolders(folder: string): readonly string[] {
  if (!fs.existsSync(folder)) {
    return [];
  }
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(folder, entry.name));
}
