/** Looks up in the rendered files of a sidecar what they say of one call. */
import { fromYaml } from "../../envoy/yaml";
import type { SidecarFiles } from "../../envoy";
import { at, listAt, textAt } from "./values";

/** The door of one port for callers of one zone: a filter chain of the listener on 15001. */
export interface Door {
  /** Name of the roots that it trusts (`trust/ops`). */
  readonly roots: string | undefined;
  /** Identities that TLS lets in. */
  readonly identities: readonly string[];
  /** Configuration of the RBAC filter; undefined where there is none. */
  readonly rbac: unknown;
  /** The HTTP filters, in their order. */
  readonly filters: readonly HttpFilter[];
}

/** An HTTP filter, as it is rendered. */
export interface HttpFilter {
  readonly name: string;
  /** Undefined where it is in a file of its own. */
  readonly config: unknown;
  /** Its configuration is in a file of its own, which may change by itself. */
  readonly discovered: boolean;
}

/** The filter chain that a server name chooses, or undefined where none does: then the connection is closed. */
export function doorFor(files: SidecarFiles, serverName: string, listener = "inbound"): Door | undefined {
  const chain = listAt(listenerNamed(files, listener), "filter_chains").find((candidate) =>
    listAt(candidate, "filter_chain_match", "server_names").includes(serverName),
  );
  if (chain === undefined) return undefined;
  const validation = at(chain, "transport_socket", "typed_config", "common_tls_context", "combined_validation_context");
  const filters = listAt(chain, "filters").flatMap((filter) => listAt(filter, "typed_config", "http_filters"));
  return {
    roots: textAt(validation, "validation_context_sds_secret_config", "name"),
    identities: identitiesIn(at(validation, "default_validation_context")),
    rbac: at(
      filters.find((filter) => textAt(filter, "name") === "envoy.filters.http.rbac"),
      "typed_config",
    ),
    filters: filters.map((filter) => ({
      name: textAt(filter, "name") ?? "",
      config: at(filter, "typed_config"),
      discovered: at(filter, "config_discovery") !== undefined,
    })),
  };
}

/** The way out of a caller's pod to one port of a callee. */
export interface WayOut {
  /** Where the application dials: `127.64.0.4:80`. */
  readonly dialled: string;
  /** Server name that the caller's sidecar asks for. */
  readonly serverName: string | undefined;
  /** Identities that it accepts. */
  readonly identities: readonly string[];
}

/** The caller's listener and cluster for a callee's port, or undefined where its sidecar has none. */
export function wayOut(files: SidecarFiles, callee: string, port: string): WayOut | undefined {
  const name = `outbound|${callee}|${port}`;
  const socket = at(listenerNamed(files, name), "address", "socket_address");
  const cluster = resources(files["clusters.yaml"]).find((candidate) => textAt(candidate, "name") === name);
  const tls = at(cluster, "transport_socket", "typed_config");
  if (socket === undefined || tls === undefined) return undefined;
  const validation = at(tls, "common_tls_context", "combined_validation_context", "default_validation_context");
  return {
    dialled: `${textAt(socket, "address") ?? "?"}:${String(at(socket, "port_value"))}`,
    serverName: textAt(tls, "sni"),
    identities: identitiesIn(validation),
  };
}

/** Whether a sidecar has a cluster of this name. */
export function hasCluster(files: SidecarFiles, name: string): boolean {
  return resources(files["clusters.yaml"]).some((cluster) => textAt(cluster, "name") === name);
}

/** The names that a pod's resolver answers. */
export function knownNames(files: SidecarFiles): readonly string[] {
  return listAt(listenerNamed(files, "dns"), "listener_filters").flatMap((filter) =>
    listAt(filter, "typed_config", "server_config", "inline_dns_table", "virtual_domains").flatMap(
      (domain) => textAt(domain, "name") ?? [],
    ),
  );
}

function listenerNamed(files: SidecarFiles, name: string): unknown {
  return resources(files["listeners.yaml"]).find((listener) => textAt(listener, "name") === name);
}

function identitiesIn(context: unknown): readonly string[] {
  return listAt(context, "match_typed_subject_alt_names").flatMap((san) => textAt(san, "matcher", "exact") ?? []);
}

/** Parsed files, for one sidecar is asked several times. */
const parsed = new Map<string, readonly unknown[]>();

function resources(file: string): readonly unknown[] {
  let found = parsed.get(file);
  if (found === undefined) {
    found = listAt(fromYaml(file), "resources");
    parsed.set(file, found);
  }
  return found;
}
