/** About admission policies. */
import type { Argument } from "./argument";

export const ADMISSION: readonly Argument[] = [
  {
    survives: /: ValidatingAdmissionPolicy [\w-]+ spec\.variables\b/,
    why: "changes what an admission policy lets be within the ceiling, or narrows it; a variable that is missing where it is asked for makes a policy that the API server refuses",
  },
];
