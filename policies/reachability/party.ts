/** `Chain/lucid-blocks`: how people name a service and its zone. */
export function partyName(zone: string, service: string): string {
  return `${zone.charAt(0).toUpperCase()}${zone.slice(1)}/${service}`;
}

/** What a zone's namespace is called by, before the zone's name. */
export const ZONE_NAMESPACE = "lucid-";

/** Who the pods of a workload are: by their ServiceAccount, to which certificate and rights are bound, and not by labels, which anybody can bear. */
export function partyOf(workload: { readonly namespace: { readonly name: string }; readonly account: string }): string {
  const { namespace, account } = workload;
  const zone = namespace.name.startsWith(ZONE_NAMESPACE) ? namespace.name.slice(ZONE_NAMESPACE.length) : namespace.name;
  return partyName(zone, account);
}
