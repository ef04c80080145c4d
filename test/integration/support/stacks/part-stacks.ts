/** The stacks of the mesh's parts, on the embedded cluster: one backend, and a passphrase for each that the others don't have. */
import type { ZoneName } from "../../../../mesh";
import type { Run } from "../../../run-pulumi";
import { runOn } from "./side-stacks";

/** Part mesh first: the others stand on it. */
export const PARTS: readonly ZoneName[] = ["mesh", "edge", "ops", "chain", "wallet"];

/** Settings besides those of `Pulumi.dev.yaml`. */
export type PartSettings = Readonly<Record<string, string>>;

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: unknown;
  readonly outputs?: unknown;
}

/** `pulumi up` of a part, with the policy pack. Its failure is a result, not an error. */
export function up(part: ZoneName, settings: PartSettings = {}, ...args: readonly string[]): Promise<Run> {
  return run(part, settings, "up", "--yes", "--skip-preview", "--policy-pack", "policies", ...args);
}

/** `pulumi preview` of a part, with the policy pack. */
export function preview(part: ZoneName, settings: PartSettings = {}, ...args: readonly string[]): Promise<Run> {
  return run(part, settings, "preview", "--policy-pack", "policies", ...args);
}

/** Takes a part away, with all that it made. */
export function destroy(part: ZoneName): Promise<Run> {
  return run(part, {}, "destroy", "--yes");
}

/** What a part's stack holds, secrets in clear text. */
export async function stateOf(part: ZoneName): Promise<readonly StateResource[]> {
  const { status, output } = await run(part, {}, "stack", "export", "--show-secrets");
  if (status !== 0) throw new Error(output);
  return (JSON.parse(output) as { deployment: { resources?: StateResource[] } }).deployment.resources ?? [];
}

function run(part: ZoneName, settings: PartSettings, ...args: readonly string[]): Promise<Run> {
  // Each part's operators have a passphrase of their own.
  const stack = { name: `parts-${part}`, folder: "parts", passphrase: `of part ${part}` };
  return runOn({ ...stack, settings: { part, ...settings } }, ...args);
}
