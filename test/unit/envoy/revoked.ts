import { readFileSync } from "node:fs";
import * as path from "node:path";
import { load } from "js-yaml";
import { checkoutDir } from "../../../dev/paths";
import { resolveMesh, validateDocument, type Mesh } from "../../../mesh";

export const REASON = "its signing key was found in a build log";

/** The project's own mesh, traced, with these services revoked. */
export function revokedMesh(...names: readonly string[]): Mesh {
  const text = readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8");
  const document = load(text) as { services: { name: string; revoked?: string }[] };
  for (const service of document.services) if (names.includes(service.name)) service.revoked = REASON;
  return resolveMesh(validateDocument(document), { tracing: true });
}
