/** Who reaches whom, computed from rendered objects alone. A further layer is one more {@link Layer} in the list that `prove` is given. */
export { agreementLayer } from "./agreement";
export { boundedSidecarLayers, sidecarLayers } from "./envoy/layer";
export { Evidence } from "./evidence";
export { prove, violationText } from "./layer";
export type { Layer, LayerName, LayerViolation, Place } from "./layer";
export { networkLayer } from "./network/layer";
export { ManifestError, readManifests } from "./objects/manifests";
export { meshObjects, namespaceOf } from "./objects/mesh";
export { plannedObject } from "./objects/plan";
export type { PlannedObject } from "./objects/plan";
export { trustProvenance } from "./objects/provenance";
export type { Provenance } from "./envoy/reading/trust";
export { ZONE_NAMESPACE, partyName, partyOf } from "./party";
export { plannedCredentials, registrationLayer } from "./registration";
export type { Credentials } from "./registration";
