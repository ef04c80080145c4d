/** A token of the mesh names the pod that calls: it stands in the audit record as the caller's instance. */
import { IDENTITY_TOKEN } from "../../mesh/wire";
import { inZones, NO_DRY_RUN, resources } from "../match";
import type { AdmissionPolicy } from "../model";
import { isIssuerName } from "./issuing";

export function tokens(): AdmissionPolicy {
  return {
    name: "lucid-tokens",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("", ["serviceaccounts/token"], ["CREATE"])]),
      matchConditions: [NO_DRY_RUN],
      validations: [
        {
          expression: `!("${IDENTITY_TOKEN.audience}" in dyn(object).spec.?audiences.orValue([])) || dyn(object).spec.?boundObjectRef.?kind.orValue("") == "Pod"`,
          message: `a token for ${IDENTITY_TOKEN.audience} is bound to no pod, so that nobody could tell which instance calls; mount it into a pod as a projected volume, or bind it by boundObjectRef`,
        },
        {
          expression: `!${isIssuerName("request.name")} || dyn(object).spec.?boundObjectRef.?kind.orValue("") == "Pod"`,
          message:
            "a token of an issuer that is bound to no pod would let its bearer sign for the issuer's zone from anywhere; it is mounted into the issuer's pod alone",
        },
      ],
    },
  };
}
