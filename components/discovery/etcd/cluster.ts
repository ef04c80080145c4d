import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ETCD, identityIn } from "../../../mesh";
import { objectLabels } from "../../pods/pod";
import { IMAGES } from "../../versions";
import type { Zone } from "../../zone";
import { discoveryServers } from "../servers";
import { ETCD_PATHS, ETCD_PEERS_SERVICE, ETCD_SERVER_NAME, healthCommand, serverArgs, serverHosts } from "./config";

export interface EtcdClusterArgs {
  /** Zone `mesh`. */
  readonly zone: Zone;
  readonly servers: number;
  /** Fixed ClusterIP of the client API. */
  readonly clusterIp: string;
  readonly certValidityDays: number;
}

/** etcd's servers: a StatefulSet that speaks TLS 1.3 with certificates of both sides, to clients and among themselves. */
export class EtcdCluster extends pulumi.ComponentResource {
  readonly statefulSet: kubernetes.apps.v1.StatefulSet;

  constructor(name: string, args: EtcdClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:EtcdCluster", name, { servers: args.servers }, opts);
    const zone = args.zone.model;
    const child = { parent: this, dependsOn: args.zone.isolation };
    const labels = objectLabels(ETCD.service, zone.name);
    const metadata = { name: ETCD.service, namespace: zone.namespace, labels };

    const leaf = args.zone.authority.issue(
      name,
      {
        commonName: ETCD_SERVER_NAME,
        uri: identityIn(zone, ETCD.service),
        dnsNames: [ETCD_SERVER_NAME, "localhost", ...serverHosts(args.servers)],
        validityDays: args.certValidityDays,
      },
      this,
    );
    const certificates = new kubernetes.core.v1.Secret(
      `${name}-tls`,
      {
        metadata: { ...metadata, name: `${ETCD.service}-tls` },
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": leaf.chainPem, "tls.key": leaf.keyPem, "ca.crt": args.zone.authority.rootsPem },
      },
      child,
    );
    this.statefulSet = discoveryServers(
      name,
      {
        zone: args.zone,
        service: ETCD.service,
        image: IMAGES.etcd,
        servers: args.servers,
        clusterIp: args.clusterIp,
        api: { name: "client", port: ETCD.clientPort },
        peers: { service: ETCD_PEERS_SERVICE, name: "peer", port: ETCD.peerPort },
        container: {
          command: ["etcd"],
          args: serverArgs(args.servers),
          env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
          ports: [
            { name: "client", containerPort: ETCD.clientPort },
            { name: "peer", containerPort: ETCD.peerPort },
          ],
          // kubelet has no certificate, without which etcd answers nobody: so it asks from inside.
          readinessProbe: { exec: { command: healthCommand() }, periodSeconds: 5, timeoutSeconds: 5 },
        },
        mounts: [{ name: "tls", mountPath: ETCD_PATHS.certificates, readOnly: true }],
        dataPath: ETCD_PATHS.data,
        volumes: [{ name: "tls", secret: { secretName: `${ETCD.service}-tls` } }],
        waitFor: [certificates],
      },
      this,
    );
    this.registerOutputs({});
  }
}
