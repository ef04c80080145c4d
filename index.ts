/** The Lucid program: reads the document and the stack's configuration, and deploys the mesh they describe. */
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { ServiceMesh, SettingsError, MeshDocumentError, clusterAccess, loadMesh, parseSettings } from "./components";
import type { Mesh, Settings } from "./components";

/** Everything that can be wrong is said before a resource is planned, and without a stack trace. */
function readDeclaration(): { readonly mesh: Mesh; readonly settings: Settings } {
  const prefix = `${pulumi.getProject()}:`;
  const raw = Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
  try {
    const settings = parseSettings(raw);
    const text = readDocument(settings.document);
    return { settings, mesh: loadMesh(text, settings.document, { tracing: settings.tracingEnabled }) };
  } catch (error) {
    if (error instanceof SettingsError || error instanceof MeshDocumentError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

/** The document's text. @throws RunError where the file can't be read. */
function readDocument(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = missing ? "it is not there" : error instanceof Error ? error.message : String(error);
    throw new pulumi.RunError(
      `${file}: the mesh document can't be read (${reason}); write it, or name another by \`pulumi config set document <path>\``,
    );
  }
}

const { mesh, settings } = readDeclaration();
const access = clusterAccess(settings);
new ServiceMesh("lucid", {
  mesh,
  settings,
  kubeConfig: access.kubeConfig,
  providers: { kubernetes: access.kubernetes, docker: access.docker },
});

/** Services by zone, for people who read the stack's outputs. */
export const services = Object.fromEntries(
  mesh.zones.map((zone) => [
    zone.name,
    mesh.services.filter((service) => service.zone === zone.name).map(({ name }) => name),
  ]),
);
