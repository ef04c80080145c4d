import { namespaceOf } from "../../../mesh/names";
import { CONSUL, DISCOVERY_DOMAIN } from "../../../mesh/wire";

/** Where the agents' volumes are mounted. */
export const CONSUL_PATHS = {
  config: "/consul/config",
  certificates: "/consul/tls",
  data: "/consul/data",
  snapshots: "/consul/snapshots",
} as const;

/** Headless Service whose names Consul's agents join by. */
export const CONSUL_PEERS_SERVICE = "consul-peers";
/** Headless Service of the node resolvers' agents, by which servers join those that are there already. */
export const CONSUL_AGENTS_SERVICE = "consul-agents";

/** Host name that agents demand of a server's certificate (`verify_server_hostname`). */
export function consulServerName(datacenter: string = CONSUL.datacenter): string {
  return `server.${datacenter}.${DISCOVERY_DOMAIN}`;
}

interface CommonConfigArgs {
  readonly gossipKey: string;
  /** Consul's own name for where it runs, which stands in discovery names. Default: that of a mesh of one. */
  readonly datacenter?: string | undefined;
}

export interface ServerConfigArgs extends CommonConfigArgs {
  readonly servers: number;
  /** Which of them this one is, from 0. */
  readonly ordinal: number;
  readonly managementToken: string;
}

export interface ClientConfigArgs extends CommonConfigArgs {
  readonly servers: number;
  /** The agent's own token: registers its node, and reads the catalogue for DNS. */
  readonly agentToken: string;
}

/**
 * Configuration of a Consul server, as JSON text. ACLs deny by default, RPC demands certificates of both sides, plain HTTP is on the pod's loopback
 * alone (the way of a port-forward), and DNS is not served (the node resolvers' agents do that).
 */
export function serverConfig(args: ServerConfigArgs): string {
  return toJson({
    ...commonConfig(
      [
        // Without its own name: a server that joins itself has joined, and looks for nobody else.
        ...peerHosts(args.servers).filter((_, ordinal) => ordinal !== args.ordinal),
        // Agents look for servers when they start, and later at the addresses alone that they knew: servers that all come back elsewhere, and without what they knew, come to them.
        hostIn(CONSUL_AGENTS_SERVICE),
      ],
      args,
    ),
    server: true,
    bootstrap_expect: args.servers,
    ui_config: { enabled: true },
    addresses: { http: "127.0.0.1", https: "0.0.0.0" },
    ports: { http: CONSUL.httpPort, https: CONSUL.httpsPort, grpc: -1, grpc_tls: -1, dns: -1 },
    connect: { enabled: false },
    acl: { ...ACL, tokens: { initial_management: args.managementToken } },
    autopilot: { cleanup_dead_servers: true },
    raft_protocol: 3,
    performance: { raft_multiplier: 1 },
  });
}

/** Configuration of a node resolver's Consul client agent: DNS on the pod's loopback for CoreDNS, and no registration of any service. */
export function clientConfig(args: ClientConfigArgs): string {
  return toJson({
    ...commonConfig(peerHosts(args.servers), args),
    server: false,
    addresses: { http: "127.0.0.1", dns: "127.0.0.1" },
    ports: { http: CONSUL.httpPort, https: -1, grpc: -1, grpc_tls: -1, dns: CONSUL.dnsPort },
    acl: { ...ACL, tokens: { agent: args.agentToken, default: args.agentToken } },
    leave_on_terminate: true,
    dns_config: {
      only_passing: true,
      allow_stale: true,
      max_stale: "10s",
      service_ttl: { "*": "5s" },
      soa: { min_ttl: 1 },
    },
  });
}

const ACL = {
  enabled: true,
  default_policy: "deny",
  down_policy: "extend-cache",
  enable_token_persistence: false,
};

function commonConfig(
  join: readonly string[],
  { gossipKey, datacenter = CONSUL.datacenter }: CommonConfigArgs,
): Record<string, unknown> {
  return {
    datacenter,
    domain: DISCOVERY_DOMAIN,
    data_dir: CONSUL_PATHS.data,
    bind_addr: "0.0.0.0",
    client_addr: "127.0.0.1",
    encrypt: gossipKey,
    encrypt_verify_incoming: true,
    encrypt_verify_outgoing: true,
    retry_join: join,
    retry_interval: "2s",
    disable_update_check: true,
    enable_agent_tls_for_checks: false,
    // A renewed leaf is served as soon as kubelet has brought it; without this, what the agent started with is served until it ends.
    auto_reload_config: true,
    log_json: true,
    tls: {
      defaults: {
        ca_file: `${CONSUL_PATHS.certificates}/ca.crt`,
        cert_file: `${CONSUL_PATHS.certificates}/tls.crt`,
        key_file: `${CONSUL_PATHS.certificates}/tls.key`,
        tls_min_version: "TLSv1_3",
        verify_outgoing: true,
      },
      internal_rpc: { verify_incoming: true, verify_server_hostname: true },
      https: { verify_incoming: false },
    },
  };
}

/** Name of a server's pod, and of its node in Consul. */
export function serverName(ordinal: number): string {
  return `${CONSUL.service}-${ordinal}`;
}

/** Every server's. */
export function serverNames(servers: number): string[] {
  return Array.from({ length: servers }, (_, ordinal) => serverName(ordinal));
}

function peerHosts(servers: number): string[] {
  return serverNames(servers).map((name) => `${name}.${hostIn(CONSUL_PEERS_SERVICE)}`);
}

function hostIn(service: string): string {
  return `${service}.${namespaceOf("mesh")}.svc.cluster.local`;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
