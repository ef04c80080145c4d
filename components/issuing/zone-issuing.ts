import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { namespaceOf, objectNames, type Mesh } from "../../mesh";
import { MESH_SERVICE } from "../../mesh/custom-resource";
import { certificateRecordOf, ISSUING, issuedServices, issuerOf, issuingPolicyData } from "../../mesh/issuing";
import type { IssuingPolicy } from "../../mesh/issuing";
import { grantRole } from "../controller/role";
import { objectLabels } from "../pods/pod";
import type { Zone } from "../zone";

export interface ZoneIssuingArgs {
  readonly mesh: Mesh;
  readonly zone: Zone;
  /** Life and keys of certificates, and those that nobody believes any more. */
  readonly policy: Omit<IssuingPolicy, "services" | "datacenter">;
}

/**
 * What a zone's issuer is given, in the zone's namespace: the issuing authority's key (which is nowhere else in the cluster), for whom it signs, and the right to read the one and to write
 * the certificates of the other. It may read no Secret but the key and those that it writes itself, and take none away.
 *
 * Kubernetes can't limit `create` to a name; that only the certificates of these services are created, in their one form, the admission policies see to.
 */
export class ZoneIssuing extends pulumi.ComponentResource {
  constructor(name: string, args: ZoneIssuingArgs, opts?: pulumi.ComponentResourceOptions) {
    const { mesh, zone, policy } = args;
    super("lucid:mesh:ZoneIssuing", name, { zone: zone.model.name }, opts);
    const { name: zoneName, namespace } = zone.model;
    const child = { parent: this, dependsOn: zone.isolation };
    const issuer = issuerOf(zoneName);
    const labels = objectLabels(issuer, zoneName);
    const datacenter = mesh.datacenters?.own;
    const services = issuedServices(mesh, zoneName).map((service) => service.name);
    const { certPem, keyPem } = zone.authority.signer;

    new kubernetes.core.v1.Secret(
      `${name}-tls`,
      {
        metadata: { name: ISSUING.secret, namespace, labels },
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": certPem, "tls.key": pulumi.secret(keyPem) },
      },
      child,
    );
    new kubernetes.core.v1.ConfigMap(
      `${name}-policy`,
      {
        metadata: { name: ISSUING.policy, namespace, labels },
        data: issuingPolicyData({ ...policy, services, datacenter }),
      },
      child,
    );
    const certificates = services.map((service) => objectNames(service).certificate);
    const core = { apiGroups: [""] };
    const rules = [
      { ...core, resources: ["secrets"], resourceNames: [ISSUING.secret], verbs: ["get"] },
      { ...core, resources: ["secrets"], resourceNames: certificates, verbs: ["get", "patch"] },
      { ...core, resources: ["secrets"], verbs: ["create"] },
      { ...core, resources: ["configmaps"], resourceNames: [ISSUING.policy], verbs: ["get"] },
      {
        ...core,
        resources: ["configmaps"],
        resourceNames: services.map(certificateRecordOf),
        verbs: ["get", "patch"],
      },
      { ...core, resources: ["configmaps"], verbs: ["create"] },
      { apiGroups: [MESH_SERVICE.group], resources: [MESH_SERVICE.plural], verbs: ["get", "list", "watch"] },
    ];
    const subjects = [{ name: issuer, namespace: namespaceOf("mesh") }];
    grantRole(name, { role: ISSUING.role, place: zone.model, rules, subjects }, this, [zone.isolation]);
    this.registerOutputs({});
  }
}
