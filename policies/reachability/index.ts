/** Who reaches whom, computed from rendered objects alone. A further layer is one more {@link Layer} in the list that `prove` is given. */
export { prove, violationText } from "./layer";
export type { Layer, LayerViolation, Place, ProofViolation } from "./layer";
export { networkLayer } from "./network/layer";
export { ManifestError, readManifests } from "./objects/manifests";
export { meshObjects, namespaceOf } from "./objects/mesh";
export { plannedObject } from "./objects/plan";
export type { PlannedObject } from "./objects/plan";
export { ZONE_NAMESPACE, partyName, partyOf } from "./party";
