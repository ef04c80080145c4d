/** What the rules know of issuers. Said here on its own: nothing is shared with what declares them. */

/** Secret of a zone with its issuing authority's key. */
export const SIGNING_SECRET = "lucid-issuing-tls";
/** ConfigMap of a zone that says for whom its issuer makes certificates. */
export const ISSUING_POLICY = "lucid-issuing";
/** Role by which an issuer does it. */
export const ISSUER_ROLE = "lucid-issuer";
/** Where issuers run. */
export const ISSUER_NAMESPACE = "lucid-mesh";
const PREFIX = "issuer-";

/** The account of a zone's issuer, in zone `mesh`. */
export function issuerOf(zone: string): string {
  return `${PREFIX}${zone}`;
}

/** The zone whose issuer has an account of this name; undefined for any other name. */
export function zoneOfIssuer(account: string): string | undefined {
  return account.startsWith(PREFIX) ? account.slice(PREFIX.length) : undefined;
}
