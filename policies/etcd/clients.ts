/** Applications that are heard at etcd. */
import type { EdgeLeave } from "../ceiling";
import { ceilingAllows } from "../ceiling/edges";

/**
 * Who shows a certificate at etcd besides its own: an identity that no sidecar lets in, in a Secret of its own, `<service>-etcd-tls`. What one may do there is said by his password.
 */
export const ETCD_CLIENT = { identity: "mesh/etcd-client", secretSuffix: "-etcd-tls" } as const;

const API = { party: "mesh/etcd", port: "2379/TCP" } as const;

/** Whether the ceiling lets a party, `<zone>/<service>`, reach etcd's API: whoever it doesn't let has no certificate for it. */
export function mayReachEtcd(party: string, ceiling: EdgeLeave): boolean {
  return ceilingAllows(party, API.party, API.port, "egress", ceiling);
}
