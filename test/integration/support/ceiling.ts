/** The policy pack's ceiling, raised by its owner for what a test deploys besides the Lucid mesh. */
import { LUCID_CEILING } from "../../../policies/ceiling";
import type { Ceiling } from "../../../policies/ceiling";
import { resourceRules, stackRules } from "../../../policies/rules";

/** Configuration of the policy pack in which every rule reads these keys of the ceiling instead of its own. */
export function policyConfig(raised: Partial<Ceiling>): Record<string, Record<string, unknown>> {
  const rules = [...resourceRules, ...stackRules].map(({ name, uses }) => ({
    name,
    keys: uses.filter((key) => raised[key] !== undefined),
  }));
  return Object.fromEntries(
    rules
      .filter(({ keys }) => keys.length > 0)
      .map(({ name, keys }) => [name, Object.fromEntries(keys.map((key) => [key, raised[key]]))]),
  );
}

/** The ceiling's members with more in one zone. */
export function membersWith(zone: string, names: readonly string[]): Ceiling["members"] {
  return { ...LUCID_CEILING.members, [zone]: [...(LUCID_CEILING.members[zone] ?? []), ...names] };
}
