import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { CONSUL } from "../../mesh/wire";
import { CONSUL_PATHS, CONSUL_PEERS_SERVICE, CONSUL_SERVER_NAME, serverConfig, serverNames } from "./consul-config";
import { consulSecrets } from "./consul-secrets";
import {
  objectLabels,
  restrictedContainer,
  restartOnRotation,
  restrictedPod,
  selectorLabels,
  spreadOverNodes,
  workloadLabels,
} from "../pods/pod";
import { IMAGES } from "../versions";
import type { Zone } from "../zone";

/** User of Consul's agents. */
export const CONSUL_UID = 65533;

export interface ConsulClusterArgs {
  /** Zone `mesh`. */
  readonly zone: Zone;
  readonly servers: number;
  /** Fixed ClusterIP of the HTTPS API. */
  readonly clusterIp: string;
  readonly certValidityDays: number;
}

/**
 * Consul's servers: a StatefulSet with ACLs that deny by default, encrypted gossip and RPC, and an HTTPS API on 8501. Reached by people and by this
 * program through a port-forward, never by a NodePort.
 */
export class ConsulCluster extends pulumi.ComponentResource {
  readonly statefulSet: kubernetes.apps.v1.StatefulSet;
  /** May do everything; stays in the state and in Consul's own configuration. Secret. */
  readonly managementToken: pulumi.Output<string>;
  readonly gossipKey: pulumi.Output<string>;

  constructor(name: string, args: ConsulClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:ConsulCluster", name, { servers: args.servers }, opts);
    const zone = args.zone.model;
    const child = { parent: this, dependsOn: args.zone.isolation };
    const labels = objectLabels(CONSUL.service, zone.name);
    const metadata = { name: CONSUL.service, namespace: zone.namespace, labels };
    const version = IMAGES.consul.split(":")[1] ?? "";

    this.gossipKey = pulumi.secret(
      new random.RandomBytes(`${name}-gossip-key`, { length: 32 }, { parent: this }).base64,
    );
    this.managementToken = pulumi.secret(
      new random.RandomUuid(`${name}-management-token`, {}, { parent: this }).result,
    );

    const leaf = args.zone.authority.issue(
      name,
      {
        commonName: CONSUL_SERVER_NAME,
        uri: `spiffe://${zone.trustDomain}/ns/${zone.namespace}/sa/${CONSUL.service}`,
        dnsNames: [CONSUL_SERVER_NAME, "localhost"],
        validityDays: args.certValidityDays,
      },
      this,
    );
    const secrets = consulSecrets(name, {
      metadata,
      leaf,
      rootsPem: args.zone.authority.rootsPem,
      config: this.serverConfigs(args.servers),
      resourceOptions: child,
    });
    const account = new kubernetes.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );
    const peers = new kubernetes.core.v1.Service(
      `${name}-peers`,
      {
        // Agents join before a server is ready: their names must resolve from the start.
        metadata: { ...metadata, name: CONSUL_PEERS_SERVICE, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          clusterIP: "None",
          publishNotReadyAddresses: true,
          selector: selectorLabels(CONSUL.service),
          ports: [{ name: "rpc", port: CONSUL.rpcPort }],
        },
      },
      child,
    );

    this.statefulSet = new kubernetes.apps.v1.StatefulSet(
      `${name}-servers`,
      {
        metadata: { ...metadata, labels: workloadLabels(CONSUL.service, zone.name, version) },
        spec: {
          serviceName: CONSUL_PEERS_SERVICE,
          replicas: args.servers,
          podManagementPolicy: "Parallel",
          selector: { matchLabels: selectorLabels(CONSUL.service) },
          template: {
            metadata: {
              labels: workloadLabels(CONSUL.service, zone.name, version),
              ...restartOnRotation(args.zone.authority.generations),
            },
            spec: {
              serviceAccountName: CONSUL.service,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: restrictedPod(CONSUL_UID),
              terminationGracePeriodSeconds: 30,
              topologySpreadConstraints: spreadOverNodes(selectorLabels(CONSUL.service)),
              containers: [
                {
                  name: "consul",
                  image: IMAGES.consul,
                  command: ["consul"],
                  args: [
                    "agent",
                    `-config-file=${CONSUL_PATHS.config}/$(POD_NAME).json`,
                    "-node=$(POD_NAME)",
                    "-advertise=$(POD_IP)",
                  ],
                  env: [
                    { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
                    { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
                  ],
                  ports: [
                    { name: "https", containerPort: CONSUL.httpsPort },
                    { name: "rpc", containerPort: CONSUL.rpcPort },
                    { name: "gossip", containerPort: CONSUL.gossipPort },
                    { name: "gossip-udp", containerPort: CONSUL.gossipPort, protocol: "UDP" },
                  ],
                  // Answers 200 only where a leader is in reach, and shows nothing without a token.
                  readinessProbe: {
                    httpGet: { path: "/v1/catalog/nodes", port: CONSUL.httpsPort, scheme: "HTTPS" },
                    periodSeconds: 3,
                    timeoutSeconds: 3,
                  },
                  resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "512Mi" } },
                  securityContext: restrictedContainer(CONSUL_UID),
                  volumeMounts: [
                    { name: "config", mountPath: CONSUL_PATHS.config, readOnly: true },
                    { name: "tls", mountPath: CONSUL_PATHS.certificates, readOnly: true },
                    { name: "data", mountPath: CONSUL_PATHS.data },
                  ],
                },
              ],
              volumes: secrets.volumes,
            },
          },
          volumeClaimTemplates: [
            {
              metadata: { name: "data", labels: selectorLabels(CONSUL.service) },
              spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
            },
          ],
        },
      },
      { parent: this, dependsOn: [args.zone.isolation, account, peers, ...secrets.objects] },
    );
    new kubernetes.core.v1.Service(
      `${name}-api`,
      {
        metadata,
        spec: {
          clusterIP: args.clusterIp,
          selector: selectorLabels(CONSUL.service),
          ports: [{ name: "https", port: CONSUL.httpsPort, targetPort: CONSUL.httpsPort }],
        },
      },
      { parent: this, dependsOn: this.statefulSet },
    );
    new kubernetes.policy.v1.PodDisruptionBudget(
      `${name}-disruption-budget`,
      { metadata, spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(CONSUL.service) } } },
      child,
    );
    this.registerOutputs({});
  }

  /** A file for each server, named for its pod. */
  private serverConfigs(servers: number): Record<string, pulumi.Output<string>> {
    return Object.fromEntries(
      serverNames(servers).map((name, ordinal) => [
        `${name}.json`,
        pulumi
          .all([this.gossipKey, this.managementToken])
          .apply(([gossipKey, managementToken]) => serverConfig({ servers, ordinal, gossipKey, managementToken })),
      ]),
    );
  }
}
