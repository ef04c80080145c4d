/** The discovery backends, as a controller of the tests' own registers at them. */
import { AccessKeeper } from "../../../services/controller/src/etcd/access/keeper";
import { EtcdClient } from "../../../services/controller/src/etcd/client";
import { EtcdStore } from "../../../services/controller/src/etcd/store";
import { createLog } from "../../../services/controller/src/log";
import { TestConsul } from "../../../services/controller/test/support/consul";
import { ACCESS, TestEtcd } from "../../../services/controller/test/support/etcd";
import { ETCD_ROOT } from "../../../mesh/etcd";

/** A ready instance, as it stands in the registry. */
export interface Registered {
  readonly address: string;
  /** Of the write that put it there last. */
  readonly revision: string;
}

/** A real backend, gone with the test. */
export interface Backend {
  /** What tells a controller how it is reached. */
  readonly env: Readonly<Record<string, string>>;
  /** Ready instances of zone ops, by pod. */
  instances(): Promise<ReadonlyMap<string, Registered>>;
  stop(): Promise<void>;
}

const SERVICE = "admin-ui";

/** A Consul that is there. */
export function backendOf(consul: TestConsul): Backend {
  const { address, caFile = "", serverName, tokensDirectory } = consul.config;
  return {
    env: {
      DISCOVERY_BACKEND: "consul",
      CONSUL_HTTP_ADDR: address.href,
      CONSUL_CACERT: caFile,
      CONSUL_TLS_SERVER_NAME: serverName,
      CONSUL_TOKENS_DIR: tokensDirectory,
    },
    instances: async () => {
      const found = (await consul.instances(SERVICE)) as unknown as readonly {
        readonly Service: { readonly ID: string; readonly Address: string; readonly ModifyIndex: number };
        readonly Checks: readonly { readonly Status: string; readonly ModifyIndex: number }[];
      }[];
      const ready = found.filter(({ Checks }) => Checks.every(({ Status }) => Status === "passing"));
      return new Map(
        ready.map(({ Service, Checks }) => {
          const revision = [Service, ...Checks].map(({ ModifyIndex }) => String(ModifyIndex)).join("/");
          return [Service.ID, { address: Service.Address, revision }];
        }),
      );
    },
    stop: () => consul.stop(),
  };
}

async function etcdBackend(): Promise<Backend> {
  const etcd = await TestEtcd.start();
  const root = new EtcdClient(etcd.connection);
  await new AccessKeeper(
    root,
    ACCESS,
    createLog("error", () => undefined),
  ).converge();
  const store = new EtcdStore(root, "root");
  const { address, serverName, caFile, certificateFile, keyFile, passwordsDirectory } = etcd.connection;
  return {
    env: {
      DISCOVERY_BACKEND: "etcd",
      ETCD_ADDR: address.href,
      ETCD_TLS_SERVER_NAME: serverName,
      ETCD_CACERT: caFile,
      ETCD_CERT: certificateFile,
      ETCD_KEY: keyFile,
      ETCD_PASSWORDS_DIR: passwordsDirectory,
    },
    instances: async () => {
      const records = await store.below(ETCD_ROOT);
      // A key's lease is part of what was written.
      return new Map(
        records.map(({ key, value, lease }) => [
          key.split("/").at(-1) ?? "",
          { address: (JSON.parse(value) as { host: string }).host, revision: lease },
        ]),
      );
    },
    stop: async () => {
      root.close();
      await etcd.stop();
    },
  };
}

export const BACKENDS: Readonly<Record<string, () => Promise<Backend>>> = {
  Consul: async () => backendOf(await TestConsul.start()),
  etcd: etcdBackend,
};
