import type * as pulumi from "@pulumi/pulumi";
import type { Mesh } from "../../mesh";
import type { Discovery, DiscoveryBackend } from "../discovery/backend";
import { NodeResolver } from "../discovery/node-resolver";
import { ServiceImage } from "../service-image";
import type { Settings } from "../stack/settings";
import type { Zone } from "../zone";

/** What pods of all parts stand on. */
export interface Shared {
  readonly discovery: Discovery;
  readonly resolver: NodeResolver;
  /** The controller's image, which a backend may need as well. Made once, by who asks first. */
  readonly controllerImage: () => ServiceImage;
}

export interface SharedArgs {
  readonly mesh: Mesh;
  readonly settings: Settings;
  readonly discoveryAddress?: string;
}

/**
 * Deploys the discovery backend and the node resolvers.
 *
 * @param zone zone `mesh`
 */
export function deployShared(
  { mesh, settings, discoveryAddress }: SharedArgs,
  backend: DiscoveryBackend,
  zone: Zone,
  parent: pulumi.Resource,
): Shared {
  const { certValidityDays, imageRegistry: registry } = settings;
  const image = { service: "controller", imageName: "mesh-controller", registry };
  const controllerImage = once(() => new ServiceImage("controller", image, { parent }));
  const discovery = backend.deploy(
    { mesh, zone, certValidityDays, address: discoveryAddress, controllerImage },
    { parent },
  );
  const resolver = new NodeResolver(
    "node-resolver",
    { zone, source: discovery.resolver, clusterIp: settings.nodeResolverIp, certValidityDays },
    { parent },
  );
  return { discovery, resolver, controllerImage };
}

/** Makes something the first time that it is asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
