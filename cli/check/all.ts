import type { Check } from "./check";
import { admissionChecks } from "./categories/admission";
import { controllerChecks } from "./categories/controller";
import { discoveryChecks } from "./categories/discovery";
import { identityChecks } from "./categories/identity";
import { kubernetesChecks } from "./categories/kubernetes";
import { meshServiceChecks } from "./categories/mesh-services";
import { networkChecks } from "./categories/network";
import { observabilityChecks } from "./categories/observability";
import { permissionChecks } from "./categories/permissions";
import { sidecarChecks } from "./categories/sidecars";
import { stackChecks } from "./categories/stack";

/** Every check, in the order in which they are run: what others need comes before them. */
export const CHECKS: readonly Check[] = [
  ...stackChecks,
  ...kubernetesChecks,
  ...permissionChecks,
  ...networkChecks,
  ...admissionChecks,
  ...discoveryChecks,
  ...identityChecks,
  ...sidecarChecks,
  ...controllerChecks,
  ...meshServiceChecks,
  ...observabilityChecks,
];
