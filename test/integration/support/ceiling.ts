/** The policy pack's ceiling, raised by its owner for what a test deploys besides the Lucid mesh. */
import { LUCID_CEILING } from "../../../policies/ceiling";
import type { Ceiling } from "../../../policies/ceiling";

/** Configuration of the policy pack in which these keys of the ceiling stand in the place of its own. */
export function policyConfig(raised: Partial<Ceiling>): Record<string, Record<string, unknown>> {
  return { ceiling: { ...raised } };
}

/** The ceiling's members with more in one zone. */
export function membersWith(zone: string, names: readonly string[]): Ceiling["members"] {
  return { ...LUCID_CEILING.members, [zone]: [...(LUCID_CEILING.members[zone] ?? []), ...names] };
}
