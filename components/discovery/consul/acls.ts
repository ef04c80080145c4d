import * as consul from "@pulumi/consul";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { findService, type Mesh, type Zone as ZoneModel, type ZoneName } from "../../../mesh";
import { ACL_READER, aclNameOf, tokenDescription } from "../../../mesh/consul";
import { CONSUL, SNAPSHOTS, WELL_KNOWN } from "../../../mesh/wire";
import { objectLabels } from "../../pods/pod";
import type { Zone } from "../../zone";
import { aclReaderRules, registrarRules, resolverRules, snapshotRules } from "./acl-rules";
import type { ConsulCluster } from "./cluster";
import { SNAPSHOT_SECRET } from "./snapshots";

export interface ConsulAclsArgs {
  readonly mesh: Mesh;
  /** Zone `mesh`. */
  readonly zone: Zone;
  readonly cluster: ConsulCluster;
  /** `host:port` at which this program reaches Consul's API. Plain, so that the provider is configured at preview. */
  readonly address: string;
}

/**
 * Consul's ACL policies and tokens: one registrar for each zone that has services and one for who compares all of this with what there is (none of them while the
 * controller is revoked), one reader for the node resolvers, and one for who takes snapshots, in a Secret of Consul's servers.
 */
export class ConsulAcls extends pulumi.ComponentResource {
  /** Token that may register a zone's services and nothing else. Secret. */
  readonly registrarTokens: ReadonlyMap<ZoneName, pulumi.Output<string>>;
  /** Token that may read Consul's ACLs, and nothing else; undefined while the controller is revoked. Secret. */
  readonly readerToken: pulumi.Output<string> | undefined;
  /** Token of the node resolvers' agents. Secret. */
  readonly resolverToken: pulumi.Output<string>;
  private readonly provider: consul.Provider;
  private readonly cluster: ConsulCluster;

  constructor(name: string, args: ConsulAclsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:ConsulAcls", name, {}, opts);
    this.cluster = args.cluster;
    this.provider = new consul.Provider(
      `${name}-provider`,
      { address: args.address, scheme: "http", token: args.cluster.managementToken },
      { parent: this },
    );
    // The controller is who has the registrars' tokens: they go with the belief in it.
    const trusted = findService(args.mesh, WELL_KNOWN.controller)?.revoked === undefined;
    const zones = args.mesh.zones.filter(
      (zone) => trusted && args.mesh.services.some((service) => service.zone === zone.name),
    );
    this.registrarTokens = new Map(
      zones.map((zone: ZoneModel) => [
        zone.name,
        this.token(
          `registrar-${zone.name}`,
          `Registers the services of zone ${zone.name}`,
          registrarRules(args.mesh, zone),
        ),
      ]),
    );
    this.readerToken = trusted
      ? this.token(ACL_READER, "Compares Consul's ACLs with what was declared", aclReaderRules())
      : undefined;
    this.resolverToken = this.token("node-resolver", "Reads names for the node resolvers", resolverRules());
    const { name: zone, namespace } = args.zone.model;
    new kubernetes.core.v1.Secret(
      `${CONSUL.service}-snapshots`,
      {
        metadata: { name: SNAPSHOT_SECRET, namespace, labels: objectLabels(CONSUL.service, zone) },
        type: "Opaque",
        stringData: {
          [SNAPSHOTS.tokenFile]: this.token("snapshots", "Takes snapshots of Consul's servers", snapshotRules()),
        },
      },
      { parent: this, dependsOn: args.zone.isolation },
    );
    this.registerOutputs({});
  }

  /** A policy and a token that bears it; the token's secret. They die with Consul, and are not asked of it one by one on destroy. */
  private token(role: string, purpose: string, rules: string): pulumi.Output<string> {
    const options = {
      parent: this,
      provider: this.provider,
      dependsOn: this.cluster.statefulSet,
      deletedWith: this.cluster.statefulSet,
    };
    const name = aclNameOf(role);
    const policy = new consul.AclPolicy(`consul-${role}-policy`, { name, description: purpose, rules }, options);
    const token = new consul.AclToken(
      `consul-${role}-token`,
      // In plain text, as all that the controller compares must be known at preview.
      { description: tokenDescription(name, purpose), policies: [name] },
      { ...options, dependsOn: [this.cluster.statefulSet, policy] },
    );
    const secret = consul.getAclTokenSecretIdOutput(
      { accessorId: token.accessorId },
      { parent: this, provider: this.provider, dependsOn: [token] },
    );
    // An answer does not tell what was asked about: whose secret it is stands in the plan by the token beside it.
    return pulumi.secret(pulumi.all([secret.secretId, token.id]).apply(([secretId]) => secretId));
  }
}
