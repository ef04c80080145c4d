import type { Layer, LayerViolation } from "../layer";
import { compare } from "./comparison/compare";
import type { RegistrationDeclaration, RegistrationViolationKind } from "./comparison/compare";

const MENDS: Readonly<Record<RegistrationViolationKind, string>> = {
  undeclared: "take the right out, or declare what it is for",
  refused: "give it the right, or take the declaration out",
  held: "give it a credential of its own, or take this one out of what it reads",
  unsaid: "give its rights as well: Consul's ACL objects, or the ConfigMap that etcd's users are kept by",
  missing: "declare the credential and give it to its holder, or take the declaration out",
};

/** The layer of registration: who may register, change, take away and look up which names at the discovery backends. */
export function registrationLayer(declarations: readonly RegistrationDeclaration[]): Layer {
  return {
    judge: ({ directoriesReading: { directories, findings } }) => [
      ...findings.map(({ object, path, problem, mend }): LayerViolation => ({
        layer: "registration",
        problem,
        mend,
        places: [{ object, path }],
      })),
      ...(directories === undefined ? [] : declarations).flatMap((declaration) =>
        compare(
          directories?.find(({ backend }) => backend === declaration.backend),
          declaration,
        ).map(({ kind, text, places }): LayerViolation => ({
          layer: "registration",
          problem: text,
          mend: MENDS[kind],
          places,
        })),
      ),
    ],
  };
}
