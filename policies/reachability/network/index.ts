export { AddressSet } from "../sets/address-set";
export { PortSet } from "../sets/port-set";
export { compare } from "./comparison/compare";
export type {
  Declaration,
  DeclaredEdge,
  DeclaredOutsider,
  Outsider,
  Violation,
  ViolationKind,
} from "./comparison/declaration";
export type { Cluster, Direction, Namespace, ObjectFinding, Policy, Workload } from "./model";
export { networkLayer } from "./layer";
export { Reachability } from "./reachability";
export type { AddressReach, Connection, Grant, Half, StrangerReach } from "./reachability";
export { objectTitle, readCluster } from "./reading/cluster";
export type { Reading, Surroundings } from "./reading/cluster";
export { grouped } from "./workload-index";
