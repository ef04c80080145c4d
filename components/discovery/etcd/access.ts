import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { createHash } from "node:crypto";
import { ETCD, identityIn, type Mesh, type ZoneName } from "../../../mesh";
import { etcdRegistrarOf } from "../../../mesh/etcd";
import { objectLabels, restrictedContainer, restrictedPod, selectorLabels, workloadLabels } from "../../pods/pod";
import type { ServiceImage } from "../../service-image";
import { MESH_VERSION } from "../../versions";
import type { Zone } from "../../zone";
import { accessDocument, registrarZones } from "./access-document";
import type { EtcdCluster } from "./cluster";
import { ETCD_PATHS, ETCD_SERVER_NAME } from "./config";

/** User that the controller's image brings. */
const KEEPER_UID = 1000;
const DOCUMENT = "access.json";
const ROOT = "root";

export interface EtcdAccessArgs {
  readonly mesh: Mesh;
  /** Zone `mesh`. */
  readonly zone: Zone;
  readonly cluster: EtcdCluster;
  /** ClusterIP of etcd's client API. */
  readonly clusterIp: string;
  /** The controller's image: the keeper is one of its programs. */
  readonly image: ServiceImage;
  readonly certValidityDays: number;
}

/**
 * Who may do what in etcd, and the keeper that holds etcd to it: a pod that alone is root there. It is ready once etcd asks for users and has them as declared,
 * so what depends on this component finds its rights in force; and it puts them in force again in an etcd that lost its state.
 *
 * A pod rather than resources of the plan: Pulumi has no provider of etcd's users, and one that ran with `pulumi up` would leave an etcd that lost its state
 * open until the next run.
 */
export class EtcdAccess extends pulumi.ComponentResource {
  /** Passwords of the registrars. Secret. */
  readonly passwords: ReadonlyMap<ZoneName, pulumi.Output<string>>;

  constructor(name: string, args: EtcdAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:EtcdAccess", name, {}, opts);
    const zone = args.zone.model;
    const child = { parent: this, dependsOn: args.zone.isolation };
    const labels = objectLabels(ETCD.access, zone.name);
    const object = (suffix: string) => ({ name: `${ETCD.access}-${suffix}`, namespace: zone.namespace, labels });
    const metadata = { name: ETCD.access, namespace: zone.namespace, labels };

    const password = (user: string) =>
      pulumi.secret(new random.RandomBytes(`${name}-${user}-password`, { length: 32 }, { parent: this }).base64);
    this.passwords = new Map(
      registrarZones(args.mesh).map((registered) => [registered.name, password(etcdRegistrarOf(registered.name))]),
    );
    const leaf = args.zone.authority.issue(
      name,
      { commonName: undefined, uri: identityIn(zone, ETCD.access), validityDays: args.certValidityDays },
      this,
    );
    const document = `${JSON.stringify(accessDocument(args.mesh), null, 2)}\n`;
    const objects = [
      new kubernetes.core.v1.Secret(
        `${name}-tls`,
        {
          metadata: object("tls"),
          type: "kubernetes.io/tls",
          stringData: { "tls.crt": leaf.chainPem, "tls.key": leaf.keyPem, "ca.crt": args.zone.authority.rootsPem },
        },
        child,
      ),
      new kubernetes.core.v1.Secret(
        `${name}-passwords`,
        {
          metadata: object("passwords"),
          type: "Opaque",
          stringData: {
            [ROOT]: password(ROOT),
            ...Object.fromEntries([...this.passwords].map(([registered, own]) => [etcdRegistrarOf(registered), own])),
          },
        },
        child,
      ),
      new kubernetes.core.v1.ConfigMap(
        `${name}-document`,
        { metadata: object("document"), data: { [DOCUMENT]: document } },
        child,
      ),
      new kubernetes.core.v1.ServiceAccount(
        `${name}-account`,
        { metadata, automountServiceAccountToken: false },
        child,
      ),
    ];
    new kubernetes.apps.v1.Deployment(
      `${name}-keeper`,
      {
        metadata: { ...metadata, labels: workloadLabels(ETCD.access, zone.name, MESH_VERSION) },
        spec: {
          replicas: 1,
          // Two of them, with two documents, would undo each other's work.
          strategy: { type: "Recreate" },
          selector: { matchLabels: selectorLabels(ETCD.access) },
          template: {
            metadata: {
              labels: workloadLabels(ETCD.access, zone.name, MESH_VERSION),
              // It reads the document when it starts: so that `pulumi up` waits until that one is in force.
              annotations: { "lucid.internal/access-digest": digest(document) },
            },
            spec: {
              serviceAccountName: ETCD.access,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: restrictedPod(KEEPER_UID),
              containers: [
                {
                  name: "keeper",
                  image: args.image.reference,
                  command: ["node", "/app/etcd-access.cjs"],
                  env: [
                    { name: "ETCD_ADDR", value: `https://${args.clusterIp}:${ETCD.clientPort}` },
                    { name: "ETCD_TLS_SERVER_NAME", value: ETCD_SERVER_NAME },
                    { name: "ETCD_CACERT", value: `${ETCD_PATHS.certificates}/ca.crt` },
                    { name: "ETCD_CERT", value: `${ETCD_PATHS.certificates}/tls.crt` },
                    { name: "ETCD_KEY", value: `${ETCD_PATHS.certificates}/tls.key` },
                    { name: "ETCD_PASSWORDS_DIR", value: ETCD_PATHS.passwords },
                    { name: "ETCD_ACCESS", value: `${ETCD_PATHS.access}/${DOCUMENT}` },
                    { name: "ACCESS_PORT", value: String(ETCD.accessPort) },
                  ],
                  ports: [{ name: "health", containerPort: ETCD.accessPort }],
                  readinessProbe: { httpGet: { path: "/health", port: ETCD.accessPort }, periodSeconds: 3 },
                  resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { memory: "128Mi" } },
                  securityContext: restrictedContainer(KEEPER_UID),
                  volumeMounts: [
                    { name: "tls", mountPath: ETCD_PATHS.certificates, readOnly: true },
                    { name: "passwords", mountPath: ETCD_PATHS.passwords, readOnly: true },
                    { name: "document", mountPath: ETCD_PATHS.access, readOnly: true },
                  ],
                },
              ],
              volumes: [
                { name: "tls", secret: { secretName: object("tls").name } },
                { name: "passwords", secret: { secretName: object("passwords").name } },
                { name: "document", configMap: { name: object("document").name } },
              ],
            },
          },
        },
      },
      { parent: this, dependsOn: [args.zone.isolation, args.cluster, args.image, ...objects] },
    );
    this.registerOutputs({});
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
