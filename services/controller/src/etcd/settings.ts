import { z } from "zod";

/** How etcd is reached. */
export interface EtcdConnection {
  /** An https URL: etcd is never spoken to in clear text. */
  readonly address: URL;
  /** Name that etcd's certificate must bear. */
  readonly serverName: string;
  /** PEM files: the roots that may sign etcd's certificate, and the own certificate with its key, without which etcd hears nobody. */
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Folder with one file per user, named for it, that holds the user's password. */
  readonly passwordsDirectory: string;
}

const address = z
  .string({ error: "is missing; set it to etcd's URL, https://<address>:2379" })
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== "https:") {
      context.addIssue({
        code: "custom",
        message: `${JSON.stringify(text)} is no URL of the form https://<address>:2379`,
      });
      return z.NEVER;
    }
    return url;
  });

/** etcd's part of the environment. */
export const etcdEnvironment = z
  .object({
    ETCD_ADDR: address,
    ETCD_TLS_SERVER_NAME: z.string().min(1).default("etcd.lucid.internal"),
    ETCD_CACERT: z.string().min(1).default("/etc/etcd/tls/ca.crt"),
    ETCD_CERT: z.string().min(1).default("/etc/etcd/tls/tls.crt"),
    ETCD_KEY: z.string().min(1).default("/etc/etcd/tls/tls.key"),
    ETCD_PASSWORDS_DIR: z.string().min(1).default("/etc/etcd/passwords"),
  })
  .transform((env): EtcdConnection => ({
    address: env.ETCD_ADDR,
    serverName: env.ETCD_TLS_SERVER_NAME,
    caFile: env.ETCD_CACERT,
    certificateFile: env.ETCD_CERT,
    keyFile: env.ETCD_KEY,
    passwordsDirectory: env.ETCD_PASSWORDS_DIR,
  }));
