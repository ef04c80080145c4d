import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import {
  objectLabels,
  restartOnRotation,
  restrictedContainer,
  restrictedPod,
  selectorLabels,
  spreadOverNodes,
  workloadLabels,
} from "../pods/pod";
import type { Container, Volume } from "../pods/pod-template";
import type { Zone } from "../zone";

/** User of a discovery backend's servers, and of its agents. */
export const DISCOVERY_UID = 65533;

export interface DiscoveryServersArgs {
  /** Zone `mesh`. */
  readonly zone: Zone;
  /** The backend's name: of its objects, its ServiceAccount and its container. */
  readonly service: string;
  readonly image: string;
  readonly servers: number;
  /** Fixed ClusterIP of the API. */
  readonly clusterIp: string;
  /** The port by which the API is asked. */
  readonly api: { readonly name: string; readonly port: number };
  /** The headless Service by which servers find each other, and its port. */
  readonly peers: { readonly service: string; readonly name: string; readonly port: number };
  /** What its container has of its own. */
  readonly container: Pick<Container, "command" | "args" | "env" | "ports" | "readinessProbe">;
  /** Containers that stand beside it, each with what it mounts. */
  readonly beside?: readonly Container[];
  /** Names of volumes that each server has of its own besides the data's. */
  readonly claims?: readonly string[];
  /** Mounts besides the data's. */
  readonly mounts: readonly kubernetes.types.input.core.v1.VolumeMount[];
  /** Where it keeps its data. */
  readonly dataPath: string;
  readonly volumes: readonly Volume[];
  /** What the pods start with. */
  readonly waitFor: readonly pulumi.Resource[];
}

/**
 * The servers of a discovery backend: a StatefulSet of pods with volumes of their own, spread over the nodes, of which one at a time may go, with the names by
 * which they find each other and the address at which they are asked.
 */
export function discoveryServers(
  name: string,
  args: DiscoveryServersArgs,
  parent: pulumi.Resource,
): kubernetes.apps.v1.StatefulSet {
  const { zone, service, servers, clusterIp, api, peers } = args;
  const { name: zoneName, namespace } = zone.model;
  const child = { parent, dependsOn: zone.isolation };
  const metadata = { name: service, namespace, labels: objectLabels(service, zoneName) };
  const selector = selectorLabels(service);
  const labels = workloadLabels(service, zoneName, args.image.split(":")[1] ?? "");

  const account = new kubernetes.core.v1.ServiceAccount(
    `${name}-account`,
    { metadata, automountServiceAccountToken: false },
    child,
  );
  const peerNames = new kubernetes.core.v1.Service(
    `${name}-peers`,
    {
      // Servers find each other before one is ready: their names must resolve from the start.
      metadata: { ...metadata, name: peers.service, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: {
        clusterIP: "None",
        publishNotReadyAddresses: true,
        selector,
        ports: [{ name: peers.name, port: peers.port }],
      },
    },
    child,
  );
  const statefulSet = new kubernetes.apps.v1.StatefulSet(
    `${name}-servers`,
    {
      metadata: { ...metadata, labels },
      spec: {
        serviceName: peers.service,
        replicas: servers,
        podManagementPolicy: "Parallel",
        selector: { matchLabels: selector },
        template: {
          metadata: { labels, ...restartOnRotation(zone.authority.generations) },
          spec: {
            serviceAccountName: service,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: restrictedPod(DISCOVERY_UID),
            terminationGracePeriodSeconds: 30,
            topologySpreadConstraints: spreadOverNodes(selector),
            containers: [
              {
                name: service,
                image: args.image,
                ...args.container,
                resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "512Mi" } },
                securityContext: restrictedContainer(DISCOVERY_UID),
                volumeMounts: [...args.mounts, { name: "data", mountPath: args.dataPath }],
              },
              ...(args.beside ?? []),
            ],
            volumes: [...args.volumes],
          },
        },
        volumeClaimTemplates: ["data", ...(args.claims ?? [])].map((claim) => ({
          metadata: { name: claim, labels: selector },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        })),
      },
    },
    { parent, dependsOn: [zone.isolation, account, peerNames, ...args.waitFor] },
  );
  new kubernetes.core.v1.Service(
    `${name}-api`,
    {
      metadata,
      spec: { clusterIP: clusterIp, selector, ports: [{ ...api, targetPort: api.port }] },
    },
    { parent, dependsOn: statefulSet },
  );
  new kubernetes.policy.v1.PodDisruptionBudget(
    `${name}-disruption-budget`,
    { metadata, spec: { maxUnavailable: 1, selector: { matchLabels: selector } } },
    child,
  );
  return statefulSet;
}
