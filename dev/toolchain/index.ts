export { cniPluginsDir, parts, type Part, type Program } from "./catalog";
export { ensureToolchain, type Toolchain, type ToolchainOptions } from "./ensure";
export { Refusal, StepFailure } from "./failure";
export { withLock } from "./lock";
export { elapsed, Progress, progressSettings, type ProgressSettings, type RunningStep } from "./progress";
