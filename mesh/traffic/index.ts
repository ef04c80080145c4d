export { amplification, showPath, type Amplification, type Hop, type WorstCase } from "./amplification";
export { milliseconds } from "./duration";
export * from "./model";
export { trafficNotices } from "./notices";
export { edgeTraffic, serviceTrafficOf } from "./resolve";
