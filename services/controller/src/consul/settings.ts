import { z } from "zod";
import { CONSUL } from "../../../../mesh/wire.js";

/** How Consul is reached. */
export interface ConsulSettings {
  readonly address: URL;
  /** PEM file with the roots that may sign Consul's certificate. Always there with https. */
  readonly caFile?: string;
  /** Name that Consul's certificate must bear. */
  readonly serverName: string;
  /** Folder with one file per zone, named for it, that holds the zone's token; and `acl-reader`, with the token by which ACLs are read. */
  readonly tokensDirectory: string;
}

const address = z
  .string({ error: "is missing; set it to Consul's URL, https://<address>:8501" })
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !["https:", "http:"].includes(url.protocol)) {
      context.addIssue({
        code: "custom",
        message: `${JSON.stringify(text)} is no URL of the form https://<address>:8501`,
      });
      return z.NEVER;
    }
    if (url.protocol === "http:" && !/^(127(\.[0-9]+){3}|localhost|\[::1\])$/.test(url.hostname)) {
      context.addIssue({ code: "custom", message: "tokens never travel in clear text beyond loopback; use https" });
      return z.NEVER;
    }
    return url;
  });

/** Consul's part of the environment. */
export const consulEnvironment = z
  .object({
    CONSUL_HTTP_ADDR: address,
    CONSUL_CACERT: z.string().min(1).optional(),
    CONSUL_TLS_SERVER_NAME: z.string().min(1).default(`server.${CONSUL.datacenter}.consul`),
    CONSUL_TOKENS_DIR: z.string().min(1).default("/etc/consul/tokens"),
  })
  .superRefine((env, context) => {
    if (env.CONSUL_HTTP_ADDR.protocol === "https:" && env.CONSUL_CACERT === undefined) {
      context.addIssue({
        code: "custom",
        path: ["CONSUL_CACERT"],
        message: "is missing; set it to the PEM file with the roots of Consul's certificate",
      });
    }
  })
  .transform((env): ConsulSettings => ({
    address: env.CONSUL_HTTP_ADDR,
    ...(env.CONSUL_CACERT === undefined ? {} : { caFile: env.CONSUL_CACERT }),
    serverName: env.CONSUL_TLS_SERVER_NAME,
    tokensDirectory: env.CONSUL_TOKENS_DIR,
  }));
