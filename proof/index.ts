/** The proof: what a program would make lets exactly those reach each other that its document declares. */
export { networkDeclaration } from "./declaration/network";
export { sidecarDeclaration } from "./declaration/sidecars";
export { partViolations } from "./part";
export type { ProvenPart } from "./part";
export { proven } from "./proven";
export type { Expectation, PartExpectation } from "./proven";
export { evidenceOf, evidenceViolations, planViolations } from "./prove";
export type { Surroundings } from "./prove";
export { rehearse } from "./rehearsal/rehearse";
export type { RehearsalNames } from "./rehearsal/rehearse";
