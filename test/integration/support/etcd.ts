import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { ETCD, NODE_RESOLVER, WELL_KNOWN, hostnameOf, namespaceOf } from "../../../mesh";
import type { ZoneName } from "../../../mesh";
import { etcdKeyOf, etcdPrefixOf, etcdRegistrarOf } from "../../../mesh/etcd";
import { EtcdClient, EtcdError } from "../../../services/controller/src/etcd/client";
import { EtcdStore, NO_LEASE } from "../../../services/controller/src/etcd/store";
import type { Credential, EtcdItem, Item, Right } from "../../../policies/reachability/registration";
import { core, forward, podOf } from "./cluster";
import type { Instance, Listener } from "./discovery";

const namespace = namespaceOf("mesh");

/** TCP ports of its servers and of the keeper of its users, and who reaches which of them. */
export const SERVERS: readonly Listener[] = [
  {
    name: ETCD.service,
    ports: [ETCD.clientPort, ETCD.peerPort],
    openTo: {
      [NODE_RESOLVER.service]: [ETCD.clientPort],
      [ETCD.access]: [ETCD.clientPort],
      [WELL_KNOWN.controller]: [ETCD.clientPort],
    },
  },
  { name: ETCD.access, ports: [ETCD.accessPort], openTo: {} },
];
/** In the node resolvers' pods it has nothing. */
export const IN_RESOLVERS: Omit<Listener, "name"> = { ports: [], openTo: {} };

/** Asks etcd as the controller does: under its certificate, in the name of a zone's registrar. */
function asRegistrar<T>(zone: ZoneName, ask: (store: EtcdStore) => Promise<T>): Promise<T> {
  return asClient((client) => ask(new EtcdStore(client, etcdRegistrarOf(zone))));
}

/** Asks etcd under the controller's certificate, with its passwords. */
async function asClient<T>(ask: (client: EtcdClient) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-etcd-client-"));
  const passwords = path.join(folder, "passwords");
  mkdirSync(passwords);
  for (const [secret, target] of [
    ["mesh-controller-etcd-tls", folder],
    ["mesh-controller-etcd-passwords", passwords],
  ] as const) {
    const { data } = await core.readNamespacedSecret({ name: secret, namespace });
    for (const [file, text] of Object.entries(data ?? {}))
      writeFileSync(path.join(target, file), Buffer.from(text, "base64"), { mode: 0o600 });
  }
  const server = await forward(await podOf({ name: ETCD.service, namespace }), ETCD.clientPort);
  const client = new EtcdClient({
    address: new URL(`https://127.0.0.1:${server.port}`),
    serverName: hostnameOf(ETCD.service),
    caFile: path.join(folder, "ca.crt"),
    certificateFile: path.join(folder, "tls.crt"),
    keyFile: path.join(folder, "tls.key"),
    passwordsDirectory: passwords,
  });
  try {
    return await ask(client);
  } finally {
    client.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

export async function passingInstances(service: string, zone: ZoneName): Promise<readonly Instance[]> {
  const records = await asRegistrar(zone, (store) => store.below(etcdPrefixOf(service)));
  return records.map(({ value }) => {
    const { id, host, port, tags } = JSON.parse(value) as { id: string; host: string; port: number; tags: string[] };
    return { ID: id, Address: host, Port: port, Tags: tags };
  });
}

export async function mayRegister(zone: ZoneName, service: string): Promise<boolean> {
  const key = etcdKeyOf(service, undefined, "intruder");
  try {
    await asRegistrar(zone, async (store) => {
      await store.put({ key, value: JSON.stringify({ host: "127.0.0.9", port: 1 }), lease: NO_LEASE });
      await store.delete(key);
    });
    return true;
  } catch (error) {
    if (error instanceof EtcdError && error.status === 403) return false;
    throw error;
  }
}

/** Asks etcd itself what the user of a zone may do with items. Nothing is written: the write stands in a branch that no transaction takes. */
export async function rightsOf(zone: ZoneName, items: readonly Item[]): Promise<readonly (readonly Right[])[]> {
  const user = etcdRegistrarOf(zone);
  return asClient(async (client) => {
    const may = async (path: string, body: unknown) => {
      try {
        await client.request(user, path, body);
        return true;
      } catch (error) {
        if (error instanceof EtcdError && error.status === 403) return false;
        throw error;
      }
    };
    const found: Right[][] = [];
    for (const { key } of items as readonly EtcdItem[]) {
      const encoded = Buffer.from(key, "latin1").toString("base64");
      const mayRead = await may("kv/range", { key: encoded });
      // Of both branches the rights are asked for; where there is no condition, this one is never taken.
      const mayWrite = await may("kv/txn", { failure: [{ request_put: { key: encoded, value: "" } }] });
      found.push([...(mayRead ? (["read"] as const) : []), ...(mayWrite ? (["write"] as const) : [])]);
    }
    return found;
  });
}

/** Tells the credential of a zone among those that were computed. */
export function credentialOf(zone: ZoneName, credentials: readonly Credential[]): Promise<Credential | undefined> {
  return Promise.resolve(credentials.find(({ title }) => title === `etcd's user ${etcdRegistrarOf(zone)}`));
}

/** All that says who may do what there stands in Kubernetes. */
export function credentials(): Promise<string | undefined> {
  return Promise.resolve(undefined);
}
