import seals from "./seals.json";

/**
 * Digests of the admission policies that were reviewed, by their names. One changes with every change of what its policy matches or asks, so that no stack
 * loosens one unseen; the file's owner is the ceiling's. `UPDATE_SEALS=1 npx mocha test/policies/rules/admission.test.ts` writes it anew.
 */
export const SEALS: Readonly<Record<string, string>> = seals;
