/** What a discovery backend is to the rest of the mesh: where instances are registered, and what names are answered from. */
import type * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Mesh, ZoneName } from "../../mesh";
import type { DeclaredObject } from "../../mesh/declarations";
import type { Leaf } from "../certificate-authority";
import type { Permission } from "../network/network-peers";
import type { NamedNetworkPolicy } from "../network/network-policies";
import type { Container, Volume } from "../pods/pod-template";
import type { ServiceImage } from "../service-image";
import type { Zone } from "../zone";

type EnvVar = kubernetes.types.input.core.v1.EnvVar;
type VolumeMount = kubernetes.types.input.core.v1.VolumeMount;
type ObjectMeta = { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> };

/** One of the backends, with the stack's configuration. `discoveryBackend` gives it. */
export interface DiscoveryBackend {
  /** What the network must let through for it. Plain data: zones are closed before anything of the backend is there. */
  network(mesh: Mesh): DiscoveryNetwork;
  /**
   * What a resource of its own declares of who may do what there, where the controller compares that: of the type and by the inputs of the resource. Undefined of every
   * other resource.
   */
  declaredOf?(type: string, inputs: Readonly<Record<string, unknown>>): DeclaredObject | undefined;
  /** Its servers, and who has which rights there. */
  deploy(args: DiscoveryArgs, opts: pulumi.ComponentResourceOptions): Discovery;
}

export interface DiscoveryNetwork {
  /** Policies of the backend's own workloads. */
  readonly policies: readonly NamedNetworkPolicy[];
  /** What who registers, the controller, may reach of it. */
  readonly registrarEgress: readonly Permission[];
  /** What goes in and out of the node resolvers besides the sidecars' questions. */
  readonly resolverIngress: readonly Permission[];
  readonly resolverEgress: readonly Permission[];
}

export interface DiscoveryArgs {
  readonly mesh: Mesh;
  /** Zone `mesh`. */
  readonly zone: Zone;
  readonly certValidityDays: number;
  /** `host:port` at which this program reaches the backend's API, where it has to: what `reachDiscovery` gives. */
  readonly address: string | undefined;
  /** The controller's image. Made once, by who asks first. */
  readonly controllerImage: () => ServiceImage;
}

/** A backend that is deployed. */
export interface Discovery {
  /** There once it can be registered at and asked. */
  readonly ready: pulumi.Resource;
  readonly resolver: ResolverSource;
  readonly registrar: Registrar;
}

/** Where node resolvers have their answers from. */
export interface ResolverSource {
  /** The plugin of CoreDNS's configuration that asks the backend, line by line. */
  readonly plugin: readonly string[];
  /** What their pods are given for it. */
  attach(context: ResolverContext): ResolverParts;
}

export interface ResolverContext {
  /** Name of the component, of which the names of its resources are made. */
  readonly name: string;
  readonly metadata: ObjectMeta;
  /** The resolvers' certificate. */
  readonly leaf: Leaf;
  /** Roots of zone `mesh`. */
  readonly rootsPem: pulumi.Input<string>;
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

export interface ResolverParts {
  /** Beside CoreDNS. */
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  /** Of CoreDNS. */
  readonly mounts: readonly VolumeMount[];
  readonly fsGroup: number;
  /** By which pods are exchanged that could not go on with what they started with. */
  readonly annotations: Readonly<Record<string, pulumi.Input<string>>>;
  readonly waitFor: readonly pulumi.Resource[];
}

/** By what the controller registers instances. */
export interface Registrar {
  /** Zones that it has the right to register for; none while the controller is revoked. */
  readonly zones: readonly ZoneName[];
  /** What its pod is given for it. */
  attach(context: RegistrarContext): RegistrarParts;
}

export interface RegistrarContext {
  readonly name: string;
  /** The controller's zone. */
  readonly zone: Zone;
  /** Metadata of an object of the controller's, by what follows the service's name. */
  readonly object: (suffix: string) => ObjectMeta;
  readonly parent: pulumi.Resource;
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

export interface RegistrarParts {
  readonly env: readonly EnvVar[];
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
  readonly waitFor: readonly pulumi.Resource[];
}
