import type { PeerZone } from "../../mesh";
import type { TrustText } from "../identity/nobody";

/** By what zones of other datacenters are believed, as text: it is known before anything is planned. */
export type TrustElsewhere = Partial<Readonly<Record<PeerZone, TrustText>>>;
