/** What may be declared at all, and who reads it: the ceiling itself is `lucid.ts`. */
export { LUCID_CEILING } from "./lucid";
export type { Ceiling, CeilingKey, DiscoveryLeave, EdgeLeave } from "./lucid";
