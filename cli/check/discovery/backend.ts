/** What checks know of a discovery backend. */
import type { Settings } from "../../../components/stack/settings";
import type { Check } from "../check";

/** As the stack's configuration names it. */
export type BackendName = Settings["discoveryBackend"];

export interface CheckedBackend {
  /** Its workloads in zone `mesh`, which stand behind no sidecar. */
  readonly workloads: readonly string[];
  /** Objects of zone `mesh` in whose `ca.crt` its servers, and who asks them, have the roots that they believe: those of that zone alone. */
  readonly trust: { readonly secrets: readonly string[]; readonly configMaps: readonly string[] };
  /** Whose identity a certificate bears that is not that of its Secret's service, by the Secret's name. */
  readonly bearers: Readonly<Record<string, string>>;
  /** Whether its API can have the address that is declared: a check of the network, before anything is installed. */
  readonly address: Check;
  /** Of what is deployed. */
  readonly checks: readonly Check[];
}
