/** Tells a program that asks which generation of the policies the API server holds requests against. */
import { inZones, resources } from "../match";
import type { AdmissionPolicy } from "../model";

/** Name of a ConfigMap that nobody can make, in any zone: who tries, by a dry run as well, is told the generation. */
export const PROBE = "lucid-admission-probe";

/** @param generation a digest of all other policies */
export function inForce(generation: string): AdmissionPolicy {
  return {
    name: "lucid-in-force",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([{ ...resources("", ["configmaps"], ["CREATE"]), resourceNames: [PROBE] }]),
      variables: [{ name: "generation", expression: JSON.stringify(generation) }],
      validations: [
        {
          expression: "false",
          message: "the mesh's admission policies are in force; nothing has this name",
          messageExpression:
            '"the mesh\'s admission policies of generation " + variables.generation + " are in force; nothing has this name"',
        },
      ],
    },
  };
}
