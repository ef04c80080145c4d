/**
 * What the API server refuses: ValidatingAdmissionPolicies as plain data, in the wire shape of `admissionregistration.k8s.io/v1`
 * (https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/).
 */

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** Requests that a policy looks at. */
export interface ResourceRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly Operation[];
  /** `pods`, `pods/status`. */
  readonly resources: readonly string[];
  /** Default: objects of every name. */
  readonly resourceNames?: readonly string[];
  readonly scope: "Namespaced" | "Cluster";
}

/** A CEL expression by a name: of a variable, or of a condition under which requests are judged at all. */
export interface NamedExpression {
  readonly name: string;
  readonly expression: string;
}

/** What must hold, and what is said where it doesn't: what is wrong, and the mend. */
export interface Validation {
  readonly expression: string;
  /** Said where `messageExpression` can't be computed. */
  readonly message: string;
  /** A CEL expression of a string, where the message names parts of the object. */
  readonly messageExpression?: string;
}

export interface PolicySpec {
  /** What can't be judged is refused. */
  readonly failurePolicy: "Fail";
  readonly matchConstraints: {
    /** Which namespaces; default: all. */
    readonly namespaceSelector?: {
      readonly matchExpressions: readonly {
        readonly key: string;
        readonly operator: "In";
        readonly values: readonly string[];
      }[];
    };
    readonly resourceRules: readonly ResourceRule[];
    readonly excludeResourceRules?: readonly ResourceRule[];
    readonly matchPolicy: "Equivalent";
  };
  readonly matchConditions?: readonly NamedExpression[];
  readonly variables?: readonly NamedExpression[];
  readonly validations: readonly Validation[];
}

/** A policy by its name, which its binding bears as well. */
export interface AdmissionPolicy {
  readonly name: string;
  readonly spec: PolicySpec;
}
