/**
 * A protobuf message of Envoy's API in its JSON form, with field names as in the `.proto` files (snake_case), which is what Envoy's own
 * documentation shows.
 */
export type Value = string | number | boolean | readonly Value[] | Message;
export interface Message {
  readonly [field: string]: Value;
}

/** A message packed into an `Any`: `type` is its full name, for example `envoy.config.listener.v3.Listener`. */
export function any(type: string, fields: Message = {}): Message {
  return { "@type": `type.googleapis.com/${type}`, ...fields };
}

/** A `TypedExtensionConfig` (or a filter, which has the same two fields). */
export function extension(name: string, type: string, fields: Message = {}): Message {
  return { name, typed_config: any(type, fields) };
}

/** A `core.v3.Address` of a socket. */
export function socketAddress(address: string, port: number, protocol: "TCP" | "UDP" = "TCP"): Message {
  const socket = { address, port_value: port };
  return { socket_address: protocol === "TCP" ? socket : { protocol, ...socket } };
}
