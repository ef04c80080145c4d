import { readFileSync } from "node:fs";
import * as path from "node:path";
import { keySetFiles, type KeySets, type MeshDocument } from "../../mesh";

/**
 * The key set files that a document names, read from beside it. One that is not there is left out: whoever resolves the document says so, with the place
 * that names it.
 *
 * @param folder the document's own
 */
export function readKeySets(document: MeshDocument, folder: string): KeySets {
  return Object.fromEntries(
    keySetFiles(document).flatMap((file) => {
      try {
        return [[file, readFileSync(path.join(folder, file), "utf8")]];
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
        throw error;
      }
    }),
  );
}
