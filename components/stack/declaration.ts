import { readFileSync } from "node:fs";
import * as path from "node:path";
import { MeshDocumentError, parseDocument, resolveMesh } from "../../mesh";
import type { Mesh } from "../../mesh";
import { readKeySets } from "./key-sets";
import { SettingsError, parseSettings } from "./settings";
import type { Settings } from "./settings";

/** The document and the stack's configuration, read. */
export interface Declaration {
  readonly settings: Settings;
  /** The document's text. */
  readonly text: string;
  readonly mesh: Mesh;
}

/** The declaration can't be used. The message says everything that is wrong, where and the mend. */
export class DeclarationError extends Error {
  override readonly name = "DeclarationError";
}

/**
 * Reads what a stack declares: its configuration, and the document that this names.
 *
 * @param raw values of the project's namespace (`lucid-mesh:`), without the prefix
 * @param now the time, as `Date.prototype.toISOString` writes it: calls that have ended are set apart; without it none is
 * @throws DeclarationError with everything that is wrong
 */
export function readDeclaration(raw: Readonly<Record<string, string>>, now?: string): Declaration {
  try {
    const settings = parseSettings(raw);
    const text = readDocument(settings.document);
    const document = parseDocument(text, settings.document);
    const keySets = readKeySets(document, path.dirname(settings.document));
    const { tracingEnabled: tracing, datacenter } = settings;
    const mesh = resolveMesh(document, { tracing, now, keySets, datacenter });
    return { settings, text, mesh };
  } catch (error) {
    if (error instanceof SettingsError || error instanceof MeshDocumentError) throw new DeclarationError(error.message);
    throw error;
  }
}

/** What to tell of the calls that have ended: one line each. */
export function endedCalls({ mesh, settings }: Pick<Declaration, "mesh" | "settings">): readonly string[] {
  return mesh.ended.map(
    ({ from, to, port, until = "", source }) =>
      `${settings.document}, ${source}: the call of ${from} to port ${port} of ${to} ended at ${until} and is left out; ` +
      "take it out of the document, or give it a later end",
  );
}

/** The document's text. @throws DeclarationError where the file can't be read. */
function readDocument(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = missing ? "it is not there" : error instanceof Error ? error.message : String(error);
    throw new DeclarationError(
      `${file}: the mesh document can't be read (${reason}); write it, or name another by \`pulumi config set document <path>\``,
    );
  }
}
