/** Where files stand. */
export interface Owned {
  /** `ConfigMap lucid-wallet/payout-router-envoy`. */
  readonly title: string;
  /** The datacenter, where there are several: identities there bear it. */
  readonly datacenter?: string | undefined;
}

/** Whose sidecar is read, and the ConfigMap that its files stand in. */
export interface Owner extends Owned {
  readonly zone: string;
  readonly service: string;
}
