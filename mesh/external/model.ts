/**
 * A service outside the cluster: a database, say. In the mesh a way out stands for it, pods with a sidecar and without an application, so that its callers find it,
 * prove themselves and are authorized as with any other service; only these pods may go where it is (docs/external-services.md).
 */
export interface ExternalWorkload {
  readonly kind: "external";
  /** Pods of its way out. */
  readonly replicas: number;
  /** IPv4 addresses at which it is, each an instance; in ascending order, at least one. Its ports are those of the service. */
  readonly addresses: readonly string[];
  /** By what it must prove itself; undefined for one that is reached in plain text. */
  readonly tls?: ExternalTls;
  /** Why nothing is asked of it, instead of `tls`. */
  readonly plaintext?: Plaintext;
  /** What is asked whether it is well; undefined: whether each port can be connected to, TLS included. */
  readonly health?: ExternalHealth;
}

/** TLS 1.2 or 1.3, begun by the way out. */
export interface ExternalTls {
  /** DNS names of which its certificate must bear one, to the letter: a name with `*` is taken for none but itself. At least one. */
  readonly names: readonly string[];
  /** Server name that is asked for (SNI); also the host that HTTP requests are for. */
  readonly serverName: string;
  /** Certificates of the authorities that are believed for this service, and for no other, as PEM. */
  readonly authorities: string;
  /** Whether the way out shows the service's own certificate of the mesh. */
  readonly presentsCertificate: boolean;
  /** Protocols offered for bytes (`tcp`); none unless said. Those of HTTP follow from the port. */
  readonly alpn: readonly string[];
}

export interface Plaintext {
  readonly reason: string;
  /** Who answers for it. */
  readonly owner: string;
  /** First instant (UTC) from which nobody is let through any more. */
  readonly until: string;
}

export interface ExternalHealth {
  /** Asked by GET; 200 means well. */
  readonly path: string;
  /** Name of the port that is asked. */
  readonly port: string;
}
