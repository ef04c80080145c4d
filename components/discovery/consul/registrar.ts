import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { ZoneName } from "../../../mesh";
import { ACL_READER } from "../../../mesh/consul";
import { CONSUL } from "../../../mesh/wire";
import type { Registrar } from "../backend";
import { consulServerName } from "./config";

const TOKENS_PATH = "/etc/consul/tokens";
const TRUST_PATH = "/etc/consul/trust";

export interface ConsulRegistrarArgs {
  /** ClusterIP of Consul's HTTPS API: the controller's pod resolves mesh names alone. */
  readonly clusterIp: string;
  /** For each zone that has services, the token that may register them. */
  readonly tokens: ReadonlyMap<ZoneName, pulumi.Input<string>>;
  /** Token that may read Consul's ACLs; undefined where nobody is to. */
  readonly aclToken: pulumi.Input<string> | undefined;
  /** Where it runs, where there are several datacenters. */
  readonly datacenter?: string | undefined;
}

/** The controller at Consul: a token for each zone, one by which it reads ACLs, and the roots by which it believes the servers. */
export function consulRegistrar({ clusterIp, tokens, aclToken, datacenter }: ConsulRegistrarArgs): Registrar {
  return {
    zones: [...tokens.keys()],
    attach: ({ name, zone, object, resourceOptions }) => {
      const [secret, trust] = [object("tokens"), object("consul-trust")];
      return {
        env: [
          { name: "DISCOVERY_BACKEND", value: "consul" },
          { name: "CONSUL_HTTP_ADDR", value: `https://${clusterIp}:${CONSUL.httpsPort}` },
          { name: "CONSUL_CACERT", value: `${TRUST_PATH}/ca.crt` },
          { name: "CONSUL_TLS_SERVER_NAME", value: consulServerName(datacenter) },
          { name: "CONSUL_TOKENS_DIR", value: TOKENS_PATH },
        ],
        volumes: [
          { name: "consul-tokens", secret: { secretName: secret.name } },
          { name: "consul-trust", configMap: { name: trust.name } },
        ],
        mounts: [
          { name: "consul-tokens", mountPath: TOKENS_PATH, readOnly: true },
          { name: "consul-trust", mountPath: TRUST_PATH, readOnly: true },
        ],
        waitFor: [
          new kubernetes.core.v1.Secret(
            `${name}-tokens`,
            {
              metadata: secret,
              type: "Opaque",
              stringData: {
                ...Object.fromEntries(tokens),
                ...(aclToken === undefined ? {} : { [ACL_READER]: aclToken }),
              },
            },
            resourceOptions,
          ),
          new kubernetes.core.v1.ConfigMap(
            `${name}-consul-trust`,
            { metadata: trust, data: { "ca.crt": zone.authority.rootsPem } },
            resourceOptions,
          ),
        ],
      };
    },
  };
}
