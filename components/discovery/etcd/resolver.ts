import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { DISCOVERY_DOMAIN } from "../../../mesh";
import { ETCD_PATH } from "../../../mesh/etcd";
import type { ResolverSource } from "../backend";
import type { EtcdAccess } from "./access";
import { clientUrls, ETCD_PATHS } from "./config";

/** Group that may read the certificate; CoreDNS's own. */
const RESOLVER_GID = 65532;

export interface EtcdResolverArgs {
  readonly servers: number;
  /** What gives the resolvers their right to read. */
  readonly access: EtcdAccess;
}

/**
 * CoreDNS's plugins by which it answers from etcd, known there by the common name of its certificate.
 *
 * The plugin answers a name with all that stands below it, and takes `*` and `any` for every label: one question for all names at once costs etcd a read of
 * everything. Such questions are refused before they reach it.
 *
 * @param urls of etcd's servers
 * @param certificates folder with the resolver's certificate, its key and the roots
 */
export function etcdPlugin(urls: readonly string[], certificates: string): readonly string[] {
  const domain = DISCOVERY_DOMAIN.replaceAll(".", "\\.");
  return [
    "template ANY ANY {",
    "    match (^|\\.)(\\*|any)\\.",
    `    match ^(service\\.)?${domain}\\.$`,
    "    rcode REFUSED",
    "    fallthrough",
    "}",
    "etcd {",
    `    path ${ETCD_PATH}`,
    `    endpoint ${urls.join(" ")}`,
    `    tls ${certificates}/tls.crt ${certificates}/tls.key ${certificates}/ca.crt`,
    "}",
  ];
}

/** Answers from etcd, over mutual TLS. */
export function etcdResolverSource({ servers, access }: EtcdResolverArgs): ResolverSource {
  return {
    plugin: etcdPlugin(clientUrls(servers), ETCD_PATHS.certificates),
    attach: ({ name, metadata, leaf, rootsPem, resourceOptions }) => {
      const secret = { ...metadata, name: `${metadata.name}-tls` };
      const certificate = new kubernetes.core.v1.Secret(
        `${name}-tls`,
        {
          metadata: secret,
          type: "kubernetes.io/tls",
          stringData: { "tls.crt": leaf.chainPem, "tls.key": leaf.keyPem, "ca.crt": rootsPem },
        },
        resourceOptions,
      );
      return {
        containers: [],
        volumes: [{ name: "tls", secret: { secretName: secret.name } }],
        mounts: [{ name: "tls", mountPath: ETCD_PATHS.certificates, readOnly: true }],
        fsGroup: RESOLVER_GID,
        // CoreDNS reads its certificate when it starts: a renewed one exchanges the pods, one after the other.
        annotations: { "lucid.internal/certificate-digest": pulumi.output(leaf.chainPem).apply(digest) },
        waitFor: [access, certificate],
      };
    },
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
