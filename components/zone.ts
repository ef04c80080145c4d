import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Mesh, Zone as ZoneModel } from "../mesh";
import { LABELS, PART_OF } from "../mesh/wire";
import type { KeyAlgorithm } from "./certificate-authority";
import { CertificateAuthority } from "./certificate-authority";
import type { AuthorityGenerations } from "./identity/generations";
import type { RevokedSerial } from "./identity/revocation-list";
import { NetworkIsolation } from "./network/network-isolation";
import type { NetworkSurroundings } from "./network/network-policies";

export interface ZoneArgs {
  readonly mesh: Mesh;
  readonly zone: ZoneModel;
  readonly algorithm: KeyAlgorithm;
  /** Generations of the zone's authorities. */
  readonly generations: AuthorityGenerations;
  /** The zone's revoked certificates. */
  readonly revoked: readonly RevokedSerial[];
  /** Hours that certificates live which the zone's issuer makes. Default: Pulumi makes them all. */
  readonly issuedHours?: number;
  readonly surroundings: NetworkSurroundings;
  /** The mesh's admission policies are another stack's, and outlive the zone. Default false. */
  readonly admittedElsewhere?: boolean;
}

/** A zone: its namespace under the `restricted` profile of Pod Security, its certificate authority, and its isolation. */
export class Zone extends pulumi.ComponentResource {
  readonly model: ZoneModel;
  readonly namespace: kubernetes.core.v1.Namespace;
  readonly authority: CertificateAuthority;
  /** What every workload of the zone must wait for: its namespace, and the policies that close it. */
  readonly isolation: NetworkIsolation;

  constructor(name: string, args: ZoneArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:Zone", name, { zone: args.zone.name }, opts);
    const child = { parent: this };
    this.model = args.zone;

    this.namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: args.zone.namespace,
          labels: {
            [LABELS.partOf]: PART_OF,
            [LABELS.zone]: args.zone.name,
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/enforce-version": "latest",
            "pod-security.kubernetes.io/audit": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
          },
        },
      },
      child,
    );
    const { zone, algorithm, generations, revoked, issuedHours } = args;
    const revokedIdentities = args.mesh.services
      .filter((service) => service.zone === zone.name && service.revoked !== undefined)
      .map(({ identity }) => identity);
    this.authority = new CertificateAuthority(
      `${name}-ca`,
      { zone, algorithm, generations, revoked, revokedIdentities, issuedHours },
      child,
    );
    this.isolation = new NetworkIsolation(
      `${name}-isolation`,
      {
        mesh: args.mesh,
        zone: args.zone,
        surroundings: args.surroundings,
        ...(args.admittedElsewhere === true ? { deniedUntil: this.namespace } : {}),
      },
      { parent: this, dependsOn: this.namespace },
    );
    this.registerOutputs({ namespace: args.zone.namespace });
  }
}
