/** What the rules know of the resources of `@pulumi/tls`. Said here on its own: nothing is shared with what declares them. */
export const TLS = {
  privateKey: "tls:index/privateKey:PrivateKey",
  request: "tls:index/certRequest:CertRequest",
  selfSigned: "tls:index/selfSignedCert:SelfSignedCert",
  locallySigned: "tls:index/locallySignedCert:LocallySignedCert",
} as const;

/** Longest lives, in days: of a root ten years, of an issuing authority one, of a leaf ninety days. */
export const LONGEST_DAYS = { root: 10 * 365, issuing: 365, leaf: 90 } as const;

/**
 * The zone of an authority, by its common name (`ops.lucid.internal root`, `ops.lucid.internal root 2 issuing`); undefined for any other name. What else
 * could say it is the key, and a key is a random number.
 *
 * @param datacenter that authorities here bear in their names, where there are several
 */
export function zoneOfAuthority(commonName: string, datacenter?: string): string | undefined {
  const [, zone, own] =
    /^([a-z]+)(?:\.([a-z0-9-]+))?\.lucid\.internal (root( \d+)?|(root \d+ )?issuing( \d+)?)$/.exec(commonName) ?? [];
  return own === datacenter ? zone : undefined;
}
