/** The Lucid program: reads the document and the stack's configuration, and deploys the mesh they describe. */
import * as pulumi from "@pulumi/pulumi";
import {
  DeclarationError,
  ServiceMesh,
  clusterAccess,
  endedCalls,
  readDeclaration,
  revocationNotices,
} from "./components";
import type { Declaration } from "./components";

/** Everything that can be wrong is said before a resource is planned, and without a stack trace. */
function declaration(): Declaration {
  const prefix = `${pulumi.getProject()}:`;
  const raw = Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
  try {
    return readDeclaration(raw, new Date().toISOString());
  } catch (error) {
    if (error instanceof DeclarationError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

const { mesh, settings } = declaration();
for (const ended of endedCalls({ mesh, settings })) void pulumi.log.warn(ended);
for (const notice of revocationNotices(mesh)) void pulumi.log.warn(notice);
const access = clusterAccess(settings);
const lucid = new ServiceMesh("lucid", {
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

/** What stacks that join the mesh read, by the name of the service that each brings (docs/joining.md). */
export const { joins } = lucid;
/** Why services are revoked, by their names. */
export const revoked = Object.fromEntries(
  mesh.services.flatMap((service) => (service.revoked === undefined ? [] : [[service.name, service.revoked]])),
);
