import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { CONSUL, identityIn } from "../../../mesh";
import { CONSUL_PATHS, CONSUL_PEERS_SERVICE, consulServerName, serverConfig, serverNames } from "./config";
import { consulSecrets } from "./secrets";
import { consulSnapshots } from "./snapshots";
import type { ConsulSnapshotsArgs } from "./snapshots";
import { objectLabels } from "../../pods/pod";
import { IMAGES } from "../../versions";
import type { Zone } from "../../zone";
import { discoveryServers } from "../servers";

export interface ConsulClusterArgs {
  /** Zone `mesh`. */
  readonly zone: Zone;
  readonly servers: number;
  /** Fixed ClusterIP of the HTTPS API. */
  readonly clusterIp: string;
  readonly certValidityDays: number;
  readonly snapshots: ConsulSnapshotsArgs;
  /** Where it runs, where there are several datacenters. */
  readonly datacenter?: string | undefined;
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

    this.gossipKey = pulumi.secret(
      new random.RandomBytes(`${name}-gossip-key`, { length: 32 }, { parent: this }).base64,
    );
    this.managementToken = pulumi.secret(
      new random.RandomUuid(`${name}-management-token`, {}, { parent: this }).result,
    );

    const serverName = consulServerName(args.datacenter);
    const leaf = args.zone.authority.issue(
      name,
      {
        commonName: serverName,
        uri: identityIn(zone, CONSUL.service),
        dnsNames: [serverName, "localhost"],
        validityDays: args.certValidityDays,
      },
      this,
    );
    const secrets = consulSecrets(name, {
      metadata,
      leaf,
      rootsPem: args.zone.authority.rootsPem,
      config: this.serverConfigs(args),
      resourceOptions: child,
    });
    const snapshots = consulSnapshots({ ...args.snapshots, serverName });
    this.statefulSet = discoveryServers(
      name,
      {
        zone: args.zone,
        service: CONSUL.service,
        image: IMAGES.consul,
        servers: args.servers,
        clusterIp: args.clusterIp,
        api: { name: "https", port: CONSUL.httpsPort },
        peers: { service: CONSUL_PEERS_SERVICE, name: "rpc", port: CONSUL.rpcPort },
        container: {
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
            // A snapshot is written to a file before it is sent; nothing else here can be written to.
            { name: "TMPDIR", value: CONSUL_PATHS.data },
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
        },
        mounts: [
          { name: "config", mountPath: CONSUL_PATHS.config, readOnly: true },
          { name: "tls", mountPath: CONSUL_PATHS.certificates, readOnly: true },
        ],
        dataPath: CONSUL_PATHS.data,
        beside: [snapshots.container],
        claims: [snapshots.claim],
        volumes: [...secrets.volumes, ...snapshots.volumes],
        waitFor: [...secrets.objects, ...args.snapshots.image.resources],
      },
      this,
    );
    this.registerOutputs({});
  }

  /** A file for each server, named for its pod. */
  private serverConfigs({
    servers,
    datacenter,
  }: Pick<ConsulClusterArgs, "servers" | "datacenter">): Record<string, pulumi.Output<string>> {
    return Object.fromEntries(
      serverNames(servers).map((name, ordinal) => [
        `${name}.json`,
        pulumi
          .all([this.gossipKey, this.managementToken])
          .apply(([gossipKey, managementToken]) =>
            serverConfig({ servers, ordinal, gossipKey, managementToken, datacenter }),
          ),
      ]),
    );
  }
}
