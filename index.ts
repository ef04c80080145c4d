/** The Lucid program: reads the document and the stack's configuration, and deploys the mesh they describe. */
import * as pulumi from "@pulumi/pulumi";
import {
  DeclarationError,
  ServiceMesh,
  admissionOf,
  clusterProviders,
  endedCalls,
  forwardConsul,
  readDeclaration,
  readKubeConfig,
  revocationNotices,
} from "./components";
import type { Declaration } from "./components";
import { proven } from "./proof";

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

const declared = declaration();
const { mesh, settings } = declared;
for (const ended of endedCalls(declared)) void pulumi.log.warn(ended);
for (const notice of revocationNotices(mesh)) void pulumi.log.warn(notice);
const kubeConfig = readKubeConfig(settings);
const admission = admissionOf(kubeConfig);
const consulAddress = forwardConsul(kubeConfig, settings.consulForwardPort);

/** All that the stack has, and its outputs. */
function lucid() {
  const providers = clusterProviders(settings);
  const { joins } = new ServiceMesh("lucid", { mesh, settings, consulAddress, admission, providers });
  return {
    /** Services by zone, for people who read the stack's outputs. */
    services: Object.fromEntries(
      mesh.zones.map((zone) => [
        zone.name,
        mesh.services.filter((service) => service.zone === zone.name).map(({ name }) => name),
      ]),
    ),
    /** What stacks that join the mesh read, by the name of the service that each brings (docs/joining.md). */
    joins,
    /** Why services are revoked, by their names. */
    revoked: Object.fromEntries(
      mesh.services.flatMap((service) => (service.revoked === undefined ? [] : [[service.name, service.revoked]])),
    ),
  };
}

// Nothing is registered before all of it is proven.
export = () => proven(declared, lucid);
