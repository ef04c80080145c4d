export { METHODS } from "./rule";
export * from "./document";
export type { DatacenterDeclaration } from "./datacenters";
export type { EndUsersDeclaration } from "./end-users";
export type { ExternalDeclaration } from "./external";
export { JOB_KINDS } from "./job";
export { DEFAULT_LOAD } from "./load";
export { PROTOCOLS } from "./port";
export {
  callTraffic,
  documentTraffic,
  serviceTraffic,
  type DeclaredServiceTraffic,
  type DeclaredTraffic,
} from "./traffic";
export { DEFAULT_RESOURCES } from "./workload";
