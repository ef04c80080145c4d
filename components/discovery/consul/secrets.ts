import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Leaf } from "../../certificate-authority";

export interface ConsulSecretsArgs {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> };
  readonly leaf: Leaf;
  /** Roots of zone `mesh`, which sign every agent's certificate. */
  readonly rootsPem: pulumi.Input<string>;
  /** Configuration files by name; they hold the gossip key and tokens, and so lie in a Secret. */
  readonly config: Readonly<Record<string, pulumi.Output<string>>>;
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

/** The two Secrets of a Consul agent, server or client, and the volumes `config` and `tls` that mount them. */
export function consulSecrets(
  name: string,
  args: ConsulSecretsArgs,
): { readonly objects: kubernetes.core.v1.Secret[]; readonly volumes: kubernetes.types.input.core.v1.Volume[] } {
  const { metadata } = args;
  const config = new kubernetes.core.v1.Secret(
    `${name}-config`,
    {
      metadata: { ...metadata, name: `${metadata.name}-config` },
      type: "Opaque",
      stringData: { ...args.config },
    },
    args.resourceOptions,
  );
  const certificates = new kubernetes.core.v1.Secret(
    `${name}-tls`,
    {
      metadata: { ...metadata, name: `${metadata.name}-tls` },
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": args.leaf.chainPem, "tls.key": args.leaf.keyPem, "ca.crt": args.rootsPem },
    },
    args.resourceOptions,
  );
  return {
    objects: [config, certificates],
    volumes: [
      { name: "config", secret: { secretName: `${metadata.name}-config` } },
      { name: "tls", secret: { secretName: `${metadata.name}-tls` } },
    ],
  };
}
