export { compareWithBound } from "./comparison/bound";
export type { UpperBound } from "./comparison/bound";
export { compare } from "./comparison/compare";
export type {
  Declaration,
  DeclaredEdge,
  DeclaredOpening,
  DeclaredOutside,
  DeclaredPassage,
  DeclaredTokens,
  Difference,
  SidecarLayer,
  Violation,
  ViolationKind,
} from "./comparison/declaration";
export { boundedSidecarLayers, sidecarLayers } from "./layer";
export { isElsewhere, Reachability, serviceOf, zoneOf } from "./matrix";
export type { Admission, Way } from "./matrix";
export type { Callee, Carries, Dial, Entry, FurtherCondition, Grant, Name, Party, Sidecar } from "./model";
export { digestOfPem, healthTarget, hostText, outsideText } from "./outside";
export type { OutsidePort, WayOutside } from "./outside";
export { arrivalText, authorityOf, linkText } from "./passing";
export { digestOfTokens, tokenDatacenter } from "./tokens";
export { readMesh } from "./reading/mesh";
export type { Knowledge, MeshReading } from "./reading/mesh";
export { readSidecar } from "./reading/sidecar";
export type { Provenance } from "./reading/trust";
export { isCovered, matches, pathPattern, representatives, ruleText } from "./requests";
export type { PathPattern, Request, RequestRule } from "./requests";
