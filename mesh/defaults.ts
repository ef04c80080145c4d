/** Defaults that depend on other values of the document; checks and resolution agree on them here. */
import type { Protocol } from "./model";

/** The dial port of a service's first port, unless declared. */
export const DEFAULT_DIAL_PORT = 80;

/** Protocols whose requests have a method and a path that can be authorized. */
export function carriesRequests(protocol: Protocol): boolean {
  return protocol !== "tcp";
}

/** Protocols that answer a plain `GET`: a health check can ask them. gRPC and bare TCP can't. */
export function answersGet(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "http2" || protocol === "websocket";
}

/** Where callers dial a port, by its place in the list; undefined where it must be declared. */
export function dialPortOf(port: { readonly dialPort?: number }, index: number): number | undefined {
  return port.dialPort ?? (index === 0 ? DEFAULT_DIAL_PORT : undefined);
}
