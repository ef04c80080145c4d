import { ETCD, hostnameOf, namespaceOf } from "../../../mesh";

/** Where the volumes of etcd's servers and clients are mounted. */
export const ETCD_PATHS = {
  certificates: "/etc/etcd/tls",
  passwords: "/etc/etcd/passwords",
  access: "/etc/etcd/access",
  data: "/var/lib/etcd",
} as const;

/** Headless Service by whose names the servers know each other, and resolvers know them. */
export const ETCD_PEERS_SERVICE = "etcd-peers";

/** Common name of the servers' certificate: a peer without it is none. */
export const ETCD_SERVER_NAME = hostnameOf(ETCD.service);

/** Name of a server's pod. */
function serverName(ordinal: number): string {
  return `${ETCD.service}-${ordinal}`;
}

/** The host that a server is reached at by the others, by its pod's name. */
function hostOf(server: string): string {
  return `${server}.${ETCD_PEERS_SERVICE}.${namespaceOf("mesh")}.svc.cluster.local`;
}

function ordinals(servers: number): number[] {
  return Array.from({ length: servers }, (_, ordinal) => ordinal);
}

/** Host names of all servers: each of them shows one certificate that is good for all. */
export function serverHosts(servers: number): string[] {
  return ordinals(servers).map((ordinal) => hostOf(serverName(ordinal)));
}

/** URLs at which the servers answer clients. */
export function clientUrls(servers: number): string[] {
  return serverHosts(servers).map((host) => `https://${host}:${ETCD.clientPort}`);
}

/**
 * Arguments of a server: certificates of both sides for clients and peers alike, TLS 1.3 alone, and as a peer nobody but who bears the servers' own name. That
 * users log in is no option of the server's: it is kept in etcd itself.
 *
 * A peer's certificate is not held against the address that it comes from: that would need a look-up of the cluster's DNS for each connection, and a pod's
 * address is another one after each start.
 *
 * @see https://etcd.io/docs/v3.6/op-guide/configuration/
 */
export function serverArgs(servers: number): string[] {
  const self = hostOf("$(POD_NAME)");
  const cluster = ordinals(servers).map((ordinal) => {
    const name = serverName(ordinal);
    return `${name}=https://${hostOf(name)}:${ETCD.peerPort}`;
  });
  const file = (name: string) => `${ETCD_PATHS.certificates}/${name}`;
  return [
    "--name=$(POD_NAME)",
    `--data-dir=${ETCD_PATHS.data}/data`,
    `--listen-client-urls=https://0.0.0.0:${ETCD.clientPort}`,
    `--advertise-client-urls=https://${self}:${ETCD.clientPort}`,
    `--listen-peer-urls=https://0.0.0.0:${ETCD.peerPort}`,
    `--initial-advertise-peer-urls=https://${self}:${ETCD.peerPort}`,
    `--initial-cluster=${cluster.join(",")}`,
    "--initial-cluster-state=new",
    "--initial-cluster-token=lucid-discovery",
    "--client-cert-auth=true",
    `--trusted-ca-file=${file("ca.crt")}`,
    `--cert-file=${file("tls.crt")}`,
    `--key-file=${file("tls.key")}`,
    "--peer-client-cert-auth=true",
    `--peer-trusted-ca-file=${file("ca.crt")}`,
    `--peer-cert-file=${file("tls.crt")}`,
    `--peer-key-file=${file("tls.key")}`,
    `--peer-cert-allowed-cn=${ETCD_SERVER_NAME}`,
    "--peer-skip-client-san-verification=true",
    "--tls-min-version=TLS1.3",
    "--auto-compaction-mode=periodic",
    "--auto-compaction-retention=1h",
  ];
}

/** Asks a server whether a majority answers: a linearizable read, under the server's own certificate, that shows nothing. */
export function healthCommand(): string[] {
  const file = (name: string) => `${ETCD_PATHS.certificates}/${name}`;
  return [
    "etcdctl",
    `--endpoints=https://localhost:${ETCD.clientPort}`,
    `--cacert=${file("ca.crt")}`,
    `--cert=${file("tls.crt")}`,
    `--key=${file("tls.key")}`,
    "--command-timeout=4s",
    "endpoint",
    "health",
  ];
}
