import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { NODE_RESOLVER } from "../../mesh/wire";
import type { ResolverSource } from "./backend";
import { corefile } from "./corefile";
import {
  APPLICATION_UID,
  objectLabels,
  restartOnRotation,
  restrictedContainer,
  restrictedPod,
  selectorLabels,
  workloadLabels,
} from "../pods/pod";
import { IMAGES } from "../versions";
import type { Zone } from "../zone";

const COREDNS_HEALTH_PORT = 8080;

export interface NodeResolverArgs {
  /** Zone `mesh`. */
  readonly zone: Zone;
  /** Where its answers come from. */
  readonly source: ResolverSource;
  /** Fixed ClusterIP at which every sidecar asks. */
  readonly clusterIp: string;
  readonly certValidityDays: number;
}

/**
 * The resolver of each node: CoreDNS (cache, stale answers) before the discovery backend. Sidecars reach the one on their own node through a fixed ClusterIP
 * (`internalTrafficPolicy: Local`), so that their questions never leave the node in clear text; what is asked of the backend goes over its TLS.
 */
export class NodeResolver extends pulumi.ComponentResource {
  readonly daemonSet: kubernetes.apps.v1.DaemonSet;

  constructor(name: string, args: NodeResolverArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:NodeResolver", name, {}, opts);
    const zone = args.zone.model;
    const child = { parent: this, dependsOn: args.zone.isolation };
    const labels = objectLabels(NODE_RESOLVER.service, zone.name);
    const metadata = { name: NODE_RESOLVER.service, namespace: zone.namespace, labels };
    const version = IMAGES.coredns.split(":")[1] ?? "";

    const leaf = args.zone.authority.issue(
      name,
      {
        commonName: `${NODE_RESOLVER.service}.lucid.internal`,
        uri: `spiffe://${zone.trustDomain}/ns/${zone.namespace}/sa/${NODE_RESOLVER.service}`,
        validityDays: args.certValidityDays,
      },
      this,
    );
    const parts = args.source.attach({
      name,
      metadata,
      leaf,
      rootsPem: args.zone.authority.rootsPem,
      resourceOptions: child,
    });
    const zoneFile = new kubernetes.core.v1.ConfigMap(
      `${name}-corefile`,
      {
        metadata: { ...metadata, name: `${NODE_RESOLVER.service}-corefile` },
        data: { Corefile: corefile(args.source.plugin) },
      },
      child,
    );
    const account = new kubernetes.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );

    this.daemonSet = new kubernetes.apps.v1.DaemonSet(
      `${name}-pods`,
      {
        metadata: { ...metadata, labels: workloadLabels(NODE_RESOLVER.service, zone.name, version) },
        spec: {
          selector: { matchLabels: selectorLabels(NODE_RESOLVER.service) },
          // A node is never without its resolver while it is replaced.
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: {
            metadata: {
              labels: workloadLabels(NODE_RESOLVER.service, zone.name, version),
              ...withAnnotations(parts.annotations, restartOnRotation(args.zone.authority.generations).annotations),
            },
            spec: {
              serviceAccountName: NODE_RESOLVER.service,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              priorityClassName: "system-node-critical",
              securityContext: restrictedPod(parts.fsGroup),
              containers: [
                {
                  name: "coredns",
                  image: IMAGES.coredns,
                  command: ["/coredns"],
                  args: ["-conf", "/etc/coredns/Corefile"],
                  ports: [
                    { name: "dns", containerPort: NODE_RESOLVER.dnsPort, protocol: "UDP" },
                    { name: "dns-tcp", containerPort: NODE_RESOLVER.dnsPort },
                    { name: "canary", containerPort: NODE_RESOLVER.canaryPort },
                  ],
                  readinessProbe: { httpGet: { path: "/ready", port: NODE_RESOLVER.canaryPort }, periodSeconds: 3 },
                  livenessProbe: {
                    httpGet: { path: "/health", port: COREDNS_HEALTH_PORT },
                    periodSeconds: 10,
                    failureThreshold: 3,
                  },
                  resources: { requests: { cpu: "20m", memory: "32Mi" }, limits: { memory: "128Mi" } },
                  securityContext: restrictedContainer(APPLICATION_UID),
                  volumeMounts: [{ name: "corefile", mountPath: "/etc/coredns", readOnly: true }, ...parts.mounts],
                },
                ...parts.containers,
              ],
              volumes: [
                { name: "corefile", configMap: { name: `${NODE_RESOLVER.service}-corefile` } },
                ...parts.volumes,
              ],
            },
          },
        },
      },
      { parent: this, dependsOn: [args.zone.isolation, account, zoneFile, ...parts.waitFor] },
    );
    new kubernetes.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: {
          clusterIP: args.clusterIp,
          internalTrafficPolicy: "Local",
          selector: selectorLabels(NODE_RESOLVER.service),
          ports: [
            { name: "dns", port: NODE_RESOLVER.dnsPort, targetPort: NODE_RESOLVER.dnsPort, protocol: "UDP" },
            { name: "dns-tcp", port: NODE_RESOLVER.dnsPort, targetPort: NODE_RESOLVER.dnsPort, protocol: "TCP" },
            { name: "canary", port: NODE_RESOLVER.canaryPort, targetPort: NODE_RESOLVER.canaryPort, protocol: "TCP" },
          ],
        },
      },
      { parent: this, dependsOn: this.daemonSet },
    );
    this.registerOutputs({});
  }
}

/** No property where there is no annotation: an empty one would differ from what is stored. */
function withAnnotations(
  own: Readonly<Record<string, pulumi.Input<string>>>,
  others: Readonly<Record<string, string>> = {},
): { readonly annotations?: Record<string, pulumi.Input<string>> } {
  const annotations = { ...own, ...others };
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}
