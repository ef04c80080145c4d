import { Field, Unjudgeable } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { plainCopy } from "../judgement/plain";

/** Settings that a Consul agent of the mesh may have; those with a check of their own stand in {@link checkAgentConfig}. */
const SETTINGS: readonly string[] = [
  "acl",
  "addresses",
  "auto_reload_config",
  "autopilot",
  "bind_addr",
  "bootstrap_expect",
  "client_addr",
  "connect",
  "data_dir",
  "datacenter",
  "disable_update_check",
  "dns_config",
  "domain",
  "enable_agent_tls_for_checks",
  "encrypt",
  "encrypt_verify_incoming",
  "encrypt_verify_outgoing",
  "leave_on_terminate",
  "log_json",
  "performance",
  "ports",
  "raft_protocol",
  "retry_interval",
  "retry_join",
  "server",
  "tls",
  "ui_config",
];
/** What stands below them; what a part says of one protocol goes before what is said of all. */
const PARTS: readonly (readonly [path: readonly string[], known: readonly string[]])[] = [
  [["addresses"], ["http", "https", "dns"]],
  [["autopilot"], ["cleanup_dead_servers"]],
  [["connect"], ["enabled"]],
  [["dns_config"], ["allow_stale", "max_stale", "only_passing", "service_ttl", "soa"]],
  [["performance"], ["raft_multiplier"]],
  [["ports"], ["http", "https", "grpc", "grpc_tls", "dns"]],
  [["tls"], ["defaults", "internal_rpc", "https"]],
  [
    ["tls", "defaults"],
    ["ca_file", "cert_file", "key_file", "tls_min_version", "verify_outgoing"],
  ],
  [
    ["tls", "internal_rpc"],
    ["verify_incoming", "verify_server_hostname"],
  ],
  [["tls", "https"], ["verify_incoming"]],
  [["ui_config"], ["enabled"]],
];
/** Where plain text may be spoken: the pod's own loopback. */
const LOOPBACK = "127.0.0.1";
/** Tokens that may do everything. */
const MANAGEMENT_TOKENS: readonly string[] = [
  "initial_management",
  "initial_bootstrap",
  "master",
  "agent_recovery",
  "agent_master",
  "replication",
];

/** The configuration in an entry of a Secret, as a field whose path goes on from the entry's. @throws Unjudgeable where it is no JSON object; the message holds nothing of the text. */
export function parseAgentConfig(text: string, path: string): Field {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
      return new Field(plainCopy(parsed), path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Unjudgeable(
    path,
    "is no JSON object, so Consul's configuration can't be judged",
    "write the agent's configuration as JSON",
  );
}

/** Checks what a Consul agent runs with (https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file). */
export function checkAgentConfig(config: Field, findings: Findings): void {
  const must = (field: Field, holds: boolean, problem: string, mend: string) => {
    findings.require(holds, field, problem, mend);
  };
  closed(config, SETTINGS, findings);
  checkAcl(config, findings);
  must(config.at("encrypt"), !config.at("encrypt").isEmpty, "gossip is not encrypted", "set encrypt to the gossip key");
  for (const key of ["encrypt_verify_incoming", "encrypt_verify_outgoing"]) {
    must(config.at(key), config.at(key).isAbsentOr(true), "gossip is taken in plain text too", "take it out");
  }
  for (const [path, known] of PARTS) closed(config.at(...path), known, findings);
  const tls = config.at("tls");
  const version = tls.at("defaults", "tls_min_version");
  must(
    version,
    version.isOneOf(["TLSv1_2", "TLSv1_3"]),
    "the agent may speak an old version of TLS",
    "set tls_min_version: TLSv1_3",
  );
  must(
    tls.at("defaults", "verify_outgoing"),
    tls.at("defaults", "verify_outgoing").is(true),
    "the agent believes any server",
    "set verify_outgoing: true",
  );
  for (const key of ["verify_incoming", "verify_server_hostname"]) {
    const field = tls.at("internal_rpc", key);
    must(field, field.is(true), "RPC asks for no certificate, or for anybody's", `set ${key}: true`);
  }
  for (const [protocol, off] of [["http", -1] as const, ["dns", -1] as const]) {
    const address = config.at("addresses", protocol);
    const bound = address.isAbsent ? config.at("client_addr") : address;
    must(
      address,
      bound.is(LOOPBACK) || config.at("ports", protocol).is(off),
      `${protocol.toUpperCase()} is served in plain text on the network`,
      `bind addresses.${protocol} to ${LOOPBACK}, or set ports.${protocol}: -1`,
    );
  }
  for (const port of ["grpc", "grpc_tls"]) {
    must(
      config.at("ports", port),
      config.at("ports", port).is(-1),
      "the agent configures proxies, which the mesh has none of",
      `set ports.${port}: -1`,
    );
  }
}

function checkAcl(config: Field, findings: Findings): void {
  const acl = config.at("acl");
  closed(acl, ["enabled", "default_policy", "down_policy", "enable_token_persistence", "tokens"], findings);
  findings.require(
    acl.at("enabled").is(true),
    acl.at("enabled"),
    "everybody may do everything: ACLs are off",
    "set acl.enabled: true",
  );
  findings.require(
    acl.at("default_policy").is("deny"),
    acl.at("default_policy"),
    "what no policy names is allowed",
    'set acl.default_policy: "deny"',
  );
  findings.require(
    acl.at("down_policy").isOneOf(["deny", "extend-cache", "async-cache"]),
    acl.at("down_policy"),
    "without servers everybody may do everything",
    'set acl.down_policy: "extend-cache"',
  );
  const persistence = acl.at("enable_token_persistence");
  findings.require(persistence.isAbsentOr(false), persistence, "tokens are written to the agent's disk", "take it out");
  const isServer = config.at("server").is(true);
  const tokens = acl.at("tokens");
  for (const name of tokens.keys()) {
    findings.require(
      name === "agent" || (isServer ? name === "initial_management" : name === "default"),
      tokens.at(name),
      MANAGEMENT_TOKENS.includes(name)
        ? "the agent has a token that may do everything, and needs none"
        : "the agent has a token that the rule does not model",
      isServer ? "leave agent and initial_management" : "leave agent and default, with the rights of one node",
    );
  }
}

function closed(field: Field, known: readonly string[], findings: Findings): void {
  for (const key of field.keys().filter((candidate) => !known.includes(candidate))) {
    findings.add(
      field.at(key),
      "the setting is none that the rule models",
      "take it out, or teach policies/consul/agent-config.ts what it means",
    );
  }
}
