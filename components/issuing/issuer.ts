import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ZoneName } from "../../mesh";
import { ISSUING, issuerOf } from "../../mesh/issuing";
import { grantRole } from "../controller/role";
import { objectLabels, restrictedContainer, restrictedPod, selectorLabels, workloadLabels } from "../pods/pod";
import type { ServiceImage } from "../service-image";
import { MESH_VERSION } from "../versions";
import type { Zone } from "../zone";

/** User that the controller's image brings. */
const ISSUER_UID = 1000;

export interface IssuerArgs {
  /** The zone whose certificates it makes. */
  readonly zone: ZoneName;
  /** Zone `mesh`, in which it runs: no plane holds anything but its members. */
  readonly home: Zone;
  /** The controller's image: the issuer is one of its programs. */
  readonly image: ServiceImage;
}

/**
 * A zone's issuer. It asks the Kubernetes API and nobody else, listens to nobody but kubelet, and has neither a sidecar nor a certificate: what it makes is what sidecars wait for. Another of
 * its name, while one is exchanged for the other, waits for its Lease.
 */
export class Issuer extends pulumi.ComponentResource {
  constructor(name: string, args: IssuerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:Issuer", name, { zone: args.zone }, opts);
    const { home, image } = args;
    const { name: zone, namespace } = home.model;
    const issuer = issuerOf(args.zone);
    const child = { parent: this, dependsOn: home.isolation };
    const metadata = { name: issuer, namespace, labels: objectLabels(issuer, zone) };
    const account = new kubernetes.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );
    const apiGroups = ["coordination.k8s.io"];
    const rules = [
      { apiGroups, resources: ["leases"], verbs: ["create"] },
      { apiGroups, resources: ["leases"], resourceNames: [issuer], verbs: ["get", "patch"] },
    ];
    const elected = grantRole(
      `${name}-elector`,
      { role: `lucid-${issuer}-elector`, place: home.model, rules, subjects: [{ name: issuer, namespace }] },
      this,
      [home.isolation],
    );
    const labels = workloadLabels(issuer, zone, MESH_VERSION);
    new kubernetes.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata: { ...metadata, labels },
        spec: {
          replicas: 1,
          strategy: { type: "Recreate" },
          selector: { matchLabels: selectorLabels(issuer) },
          template: {
            metadata: { labels },
            spec: {
              serviceAccountName: issuer,
              automountServiceAccountToken: true,
              enableServiceLinks: false,
              securityContext: restrictedPod(ISSUER_UID),
              containers: [
                {
                  name: "issuer",
                  image: image.reference,
                  command: ["node", "/app/issuer.cjs"],
                  env: [{ name: "ISSUER_ZONE", value: args.zone }],
                  ports: [{ name: "health", containerPort: ISSUING.port }],
                  readinessProbe: { httpGet: { path: "/health", port: ISSUING.port }, periodSeconds: 3 },
                  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "160Mi" } },
                  securityContext: restrictedContainer(ISSUER_UID),
                },
              ],
            },
          },
        },
      },
      { parent: this, dependsOn: [home.isolation, image, account, elected] },
    );
    this.registerOutputs({});
  }
}
