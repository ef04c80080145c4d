import { createHash } from "node:crypto";
import type { Place } from "../layer";

/** One port of a service outside the cluster, as a sidecar goes there in the place of an application. */
export interface OutsidePort {
  /** IPv4, in the order in which they stand. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly byHttp2: boolean;
  /** Undefined where it goes in plain text. */
  readonly tls: OutsideTls | undefined;
  /** How it is asked whether it is well: `GET /health`, or `a connection`. */
  readonly asked: string;
}

export interface OutsideTls {
  readonly serverName: string;
  /** DNS names of which the certificate must bear one. */
  readonly names: readonly string[];
  /** Digest of the authorities' certificates; see {@link digestOfPem}. */
  readonly authorities: string;
  readonly alpn: readonly string[];
  /** Whether it is shown the sidecar's own certificate. */
  readonly presents: boolean;
}

/** The same with where it stands. */
export interface WayOutside extends OutsidePort {
  readonly place: Place;
  /** `application|sql`. */
  readonly cluster: string;
}

/** `10.20.0.5, 10.20.0.6 on 5432/TCP by TLS as db.example.org`; equal exactly for what leads to the same, by the same proof. */
export function outsideText({ addresses, port, byHttp2, tls, asked }: OutsidePort): string {
  return [
    `${addresses.join(", ")} on ${port}/TCP`,
    ...(byHttp2 ? ["by HTTP/2"] : []),
    tls === undefined ? "in plain text" : `by TLS as ${tlsText(tls)}`,
    `well by ${asked}`,
  ].join(" ");
}

/** What is told of the health of a service outside: whether each of these clusters has an instance that is well. */
export function healthTarget(clusters: readonly string[]): string {
  return `whether ${[...clusters].sort().join(" and ")} is well`;
}

/** What requests are said to be for. */
export function hostText(host: string): string {
  return `, for ${host}`;
}

/** Digest of PEM text, whatever its line ends. */
export function digestOfPem(pem: string): string {
  return createHash("sha256").update(pem.replace(/\s+/g, "")).digest("hex").slice(0, 16);
}

function tlsText({ serverName, names, authorities, alpn, presents }: OutsideTls): string {
  const further = names.join() === serverName ? [] : [`names ${names.join(", ")}`];
  const parts = [
    ...further,
    `authorities ${authorities}`,
    ...(alpn.length === 0 ? [] : [`offering ${alpn.join(", ")}`]),
    ...(presents ? ["showing its certificate"] : []),
  ];
  return `${serverName} (${parts.join("; ")})`;
}
