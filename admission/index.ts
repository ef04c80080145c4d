export type { AdmissionData, AdmissionImages, AdmissionOptions } from "./data";
export type { AdmissionPolicy, PolicySpec } from "./model";
export { PROBE } from "./policies/in-force";
export { renderAdmission, type AdmissionPolicies } from "./render";
