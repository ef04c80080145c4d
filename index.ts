/** The Lucid program: reads the document and the stack's configuration, and deploys the mesh they describe, or the stack's part of it. */
import * as pulumi from "@pulumi/pulumi";
import {
  DeclarationError,
  SHARED_PART,
  ServiceMesh,
  admissionOf,
  clusterProviders,
  deployedPart,
  endedCalls,
  reachDiscovery,
  readDatacenters,
  readDeclaration,
  readKubeConfig,
  revocationNotices,
  zonesOfPart,
} from "./components";
import type { Declaration, OwnPart, ToldDatacenters } from "./components";
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
const ownZones = zonesOfPart(settings.part);

/** The cluster is asked, and Consul's API offered, where this stack deploys what is the whole cluster's. */
const shared = ownZones.includes(SHARED_PART)
  ? { discoveryAddress: reachDiscovery(settings, kubeConfig), admission: admissionOf(kubeConfig) }
  : {};

/** The mesh, or a part of it. */
function declare(part?: OwnPart, datacenters?: ToldDatacenters): ServiceMesh {
  return new ServiceMesh("lucid", {
    mesh,
    settings,
    part,
    datacenters,
    ...shared,
    providers: clusterProviders(settings),
  });
}

/** All that the stack has, and its outputs. */
function lucid(part?: OwnPart, datacenters?: ToldDatacenters) {
  const { joins, told, toldElsewhere } = declare(part, datacenters);
  const services = mesh.services.filter(({ zone }) => ownZones.includes(zone));
  return {
    /** Services by zone, for people who read the stack's outputs. */
    services: Object.fromEntries(
      mesh.zones
        .filter(({ name }) => ownZones.includes(name))
        .map((zone) => [zone.name, services.filter((service) => service.zone === zone.name).map(({ name }) => name)]),
    ),
    /** What stacks that join the mesh read, by the name of the service that each brings (docs/joining.md). */
    joins,
    /** Why services are revoked, by their names. */
    revoked: Object.fromEntries(
      services.flatMap((service) => (service.revoked === undefined ? [] : [[service.name, service.revoked]])),
    ),
    /** What the stacks of the other parts read, where this one deploys a part (docs/parts.md). */
    ...(told && { part: told }),
    /** What the stacks of the other datacenters read, where the mesh is in several (docs/datacenters.md). */
    ...(toldElsewhere && { datacenter: toldElsewhere }),
  };
}

// Nothing is registered before all of it is proven.
export = async () => {
  const part = await deployedPart(declared);
  const datacenters = await readDatacenters(declared);
  if (part === undefined) return proven(declared, () => lucid(undefined, datacenters));
  return proven(declared, () => lucid(part), { ...part, whole: () => declare() });
};
