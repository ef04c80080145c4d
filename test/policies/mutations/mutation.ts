import { kindOf } from "../../../policies/kubernetes/object";
import type { OperatorName } from "./operators";
import type { Path } from "./place";
import type { Change } from "./plan";

/** One change of a plan. */
export interface Mutation {
  /** `drop of dnsPolicy: Deployment admin-ui-deployment spec.template.spec`. */
  readonly title: string;
  /** The same with the names of services and zones left out: what mutations of the same kind at the same kind of place have in common. */
  readonly kind: string;
  readonly operator: OperatorName;
  /** Kind of the object that it changes. */
  readonly object: string;
  readonly change: Change;
  /** The places that it changes; `everything` where objects come, go or change their names. */
  readonly touches: readonly { readonly urn: string; readonly path: Path }[] | "everything";
}

/** `Deployment`, `LocallySignedCert`. */
export function objectOf(type: string): string {
  return kindOf(type)?.kind ?? type.split(":").at(-1) ?? type;
}
