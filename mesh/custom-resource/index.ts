export { declaredSpec } from "./declare";
export { meshServiceDefinition } from "./definition";
export { MESH_SERVICE, meshServicesPath } from "./names";
export { meshServiceSpec, type MeshServiceSpec } from "./spec";
export { meshServiceStatus, type Condition, type MeshServiceStatus } from "./status";
