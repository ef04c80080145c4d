import * as fs from "node:fs";

import { hasCode } from "./errors";
import { writePrivate } from "./kubeconfig";

/** What a cluster is, kept in its state directory so that `status` and the next `up` know. */
export interface ClusterRecord {
  readonly nodes: number;
  readonly apiPort: number;
  readonly daemons: readonly { readonly machine: string; readonly name: string; readonly program: string }[];
}

/** Reads the record; undefined when there is no cluster, or only the beginning of one. */
export function readRecord(file: string): ClusterRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as ClusterRecord;
  } catch (error) {
    // A file cut short by a crash is as good as none: `up` writes it anew.
    if (hasCode(error, "ENOENT") || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** Writes the record. */
export function writeRecord(file: string, record: ClusterRecord): void {
  writePrivate(file, `${JSON.stringify(record, null, 2)}\n`);
}
