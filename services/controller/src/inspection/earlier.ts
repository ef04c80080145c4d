import { VERSIONED } from "./files.js";
import { versionKey, type Expectation } from "./judgement.js";

/** Versions of a service's files that are remembered. */
const REMEMBERED = 8;

/** Versions of files that were declared, so that a sidecar that still runs by an old one can be told from one that runs by what nobody ever declared. */
export class EarlierVersions {
  private readonly versions = new Map<string, readonly string[]>();

  /** Takes down what is declared of a service now. @returns what was at any time, each as `<file>@<version>` */
  note(service: string, { files, undeclared }: Pick<Expectation, "files" | "undeclared">): ReadonlySet<string> {
    const before = this.versions.get(service) ?? [];
    const declared = VERSIONED.filter((file) => !undeclared.includes(file)).map((file) =>
      versionKey(file, files[file].version),
    );
    const versions = [...before.filter((version) => !declared.includes(version)), ...declared].slice(-REMEMBERED);
    this.versions.set(service, versions);
    return new Set(versions);
  }
}
