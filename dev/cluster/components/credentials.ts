import * as path from "node:path";

import type { ClusterContext } from "../context";
import { kubeconfig, writePrivate } from "../kubeconfig";
import { network } from "../layout";
import type { KeyPair, LeafRequest } from "../pki";

/** The authority that signs everything Kubernetes; etcd has one of its own. */
export const kubernetesAuthority = "kubernetes";

/** A kubeconfig for a part of the cluster that speaks to the API server from a node. */
export interface Credentials {
  readonly file: string;
  /** The file's text: a daemon that reads it is restarted when it changes. */
  readonly text: string;
}

/** Makes the client certificate of a component and its kubeconfig, `<pki>/<name>.kubeconfig`. */
export async function credentialsFor(
  context: ClusterContext,
  name: string,
  request: Omit<LeafRequest, "usages">,
): Promise<Credentials> {
  const client = await context.pki.leaf(kubernetesAuthority, name, { ...request, usages: ["client"] });
  return credentialsOf(context, name, client);
}

/** The kubeconfig of a certificate that exists already. */
export async function credentialsOf(context: ClusterContext, name: string, client: KeyPair): Promise<Credentials> {
  const authority = await context.pki.authority(kubernetesAuthority);
  const server = `https://${network.controlPlaneAddress}:${String(network.apiPort)}`;
  const text = kubeconfig(server, authority.certificate, client);
  const file = path.join(context.files.pki, `${name}.kubeconfig`);
  writePrivate(file, text);
  return { file, text };
}
