/** What a discovery backend runs, and what NetworkPolicies may open for it. Openings are `<from>><to>:<number>/<protocol>`; a party is `<zone>/<service>`. */
export interface AdmittedDiscovery {
  /** Its parties without a sidecar, to the images that they run. */
  readonly parties: ReadonlyMap<string, readonly string[]>;
  /** Images that the node resolvers' pods run for it, besides CoreDNS. */
  readonly resolverImages: readonly string[];
  /** @param registrars parties that register instances */
  openings(registrars: readonly string[]): readonly string[];
  /**
   * Parties whose application is heard at the backend under a certificate of its own, Secret `<service>-etcd-tls`.
   *
   * @param registrars parties that register instances
   */
  certified(registrars: readonly string[]): readonly string[];
  /** Parties that ask the cluster's DNS. */
  readonly dnsClients: readonly string[];
}
