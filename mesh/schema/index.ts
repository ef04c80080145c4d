export { METHODS } from "./call";
export * from "./document";
export { PROTOCOLS } from "./port";
export { DEFAULT_RESOURCES } from "./workload";
