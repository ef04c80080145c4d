import { renderSidecar, type EnvoyOptions } from "../../../envoy";
import type { Message, Value } from "../../../envoy/message";
import { fromYaml } from "../../../envoy/yaml";
import type { Mesh, Service } from "../../../mesh/model";
import { OPTIONS } from "./fixture";

/** A rendered listener, as far as the tests read it. */
export interface Listener {
  readonly name: string;
  readonly address: { readonly socket_address: { readonly address: string; readonly port_value: number } };
  readonly enable_reuse_port: boolean;
  readonly filter_chains?: readonly Chain[];
  readonly default_filter_chain?: unknown;
  readonly listener_filters?: readonly { readonly name: string; readonly typed_config: Message }[];
}
export interface Chain {
  readonly name?: string;
  readonly filter_chain_match?: { readonly transport_protocol?: string; readonly server_names?: readonly string[] };
  readonly transport_socket?: { readonly typed_config: Message };
  readonly filters: readonly { readonly name: string; readonly typed_config: Message }[];
}

/** The listeners that a service's sidecar is given. */
export function listenersOf(mesh: Mesh, service: Service, options: EnvoyOptions = OPTIONS): Listener[] {
  return fromYaml(renderSidecar(mesh, service, options)["listeners.yaml"]).resources as unknown as Listener[];
}

/** The clusters that a service's sidecar is given. */
export function clustersOf(mesh: Mesh, service: Service, options: EnvoyOptions = OPTIONS): Message[] {
  return fromYaml(renderSidecar(mesh, service, options)["clusters.yaml"]).resources as Message[];
}

/** Every value of a field, at any depth, in order. */
export function fieldsNamed(value: unknown, field: string): Value[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => fieldsNamed(item, field));
  }
  if (typeof value !== "object" || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, item]: [string, Value]) => [
    ...(key === field ? [item] : []),
    ...fieldsNamed(item, field),
  ]);
}

/** Every message of a type, at any depth. */
export function messagesOf(value: unknown, type: string): Message[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => messagesOf(item, type));
  }
  if (typeof value !== "object" || value === null) {
    return [];
  }
  const own = (value as Message)["@type"] === `type.googleapis.com/${type}` ? [value as Message] : [];
  return [...own, ...Object.values(value).flatMap((item) => messagesOf(item, type))];
}

/** Who is let through a chain, as `caller identity > server name`, where TLS and RBAC both say so. */
export function admittedBy(chain: Chain): string[] {
  const sans = identitiesIn(fieldsNamed(chain.transport_socket, "match_typed_subject_alt_names"));
  const principals = identitiesIn(fieldsNamed(chain.filters, "principals"));
  const names = chain.filter_chain_match?.server_names ?? [];
  return names.flatMap((name) => sans.filter((san) => principals.includes(san)).map((san) => `${san} > ${name}`));
}

/** Every exact identity in a part of a configuration. */
export function identitiesIn(value: unknown): string[] {
  return fieldsNamed(value, "exact").filter(
    (item): item is string => typeof item === "string" && item.startsWith("spiffe://"),
  );
}
