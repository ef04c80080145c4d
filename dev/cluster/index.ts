export { clusterDown } from "./down";
export { clusterStatus, type ClusterStatus, type ComponentStatus, type NodeStatus } from "./status";
export { clusterUp, type ClusterAccess, type ClusterUpOptions } from "./up";
