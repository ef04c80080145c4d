import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { ETCD, identityIn, type ZoneName } from "../../../mesh";
import { etcdRegistrarOf } from "../../../mesh/etcd";
import type { Registrar } from "../backend";
import { ETCD_PATHS, ETCD_SERVER_NAME } from "./config";

export interface EtcdRegistrarArgs {
  /** ClusterIP of etcd's client API: the controller's pod resolves mesh names alone. */
  readonly clusterIp: string;
  /** For each zone that has services, the password of the user that may register them. */
  readonly passwords: ReadonlyMap<ZoneName, pulumi.Input<string>>;
  readonly certValidityDays: number;
}

/** The controller at etcd: a user for each zone, under one certificate. While the controller is revoked it has neither. */
export function etcdRegistrar({ clusterIp, passwords, certValidityDays }: EtcdRegistrarArgs): Registrar {
  const zones = [...passwords.keys()];
  return {
    zones,
    attach: ({ name, zone, object, parent, resourceOptions }) => {
      const env = [
        { name: "DISCOVERY_BACKEND", value: "etcd" },
        { name: "ETCD_ADDR", value: `https://${clusterIp}:${ETCD.clientPort}` },
        { name: "ETCD_TLS_SERVER_NAME", value: ETCD_SERVER_NAME },
        { name: "ETCD_CACERT", value: `${ETCD_PATHS.certificates}/ca.crt` },
        { name: "ETCD_CERT", value: `${ETCD_PATHS.certificates}/tls.crt` },
        { name: "ETCD_KEY", value: `${ETCD_PATHS.certificates}/tls.key` },
        { name: "ETCD_PASSWORDS_DIR", value: ETCD_PATHS.passwords },
      ];
      if (zones.length === 0) return { env, volumes: [], mounts: [], waitFor: [] };
      const leaf = zone.authority.issue(
        `${name}-etcd`,
        {
          commonName: undefined,
          // Not the controller's own: who takes this key from the application has nothing by which a sidecar lets him in.
          uri: identityIn(zone.model, ETCD.client),
          validityDays: certValidityDays,
        },
        parent,
      );
      const [certificate, secret] = [object("etcd-tls"), object("etcd-passwords")];
      return {
        env,
        volumes: [
          { name: "etcd-tls", secret: { secretName: certificate.name } },
          { name: "etcd-passwords", secret: { secretName: secret.name } },
        ],
        mounts: [
          { name: "etcd-tls", mountPath: ETCD_PATHS.certificates, readOnly: true },
          { name: "etcd-passwords", mountPath: ETCD_PATHS.passwords, readOnly: true },
        ],
        waitFor: [
          new kubernetes.core.v1.Secret(
            `${name}-etcd-tls`,
            {
              metadata: certificate,
              type: "kubernetes.io/tls",
              stringData: { "tls.crt": leaf.chainPem, "tls.key": leaf.keyPem, "ca.crt": zone.authority.rootsPem },
            },
            resourceOptions,
          ),
          new kubernetes.core.v1.Secret(
            `${name}-etcd-passwords`,
            {
              metadata: secret,
              type: "Opaque",
              stringData: Object.fromEntries(
                [...passwords].map(([registered, password]) => [etcdRegistrarOf(registered), password]),
              ),
            },
            resourceOptions,
          ),
        ],
      };
    },
  };
}
