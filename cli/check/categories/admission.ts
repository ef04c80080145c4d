/** Whether the API server refuses in the zones what the policy pack refuses of a plan. */
import { PROBE } from "../../../admission";
import { LABELS, PART_OF } from "../../../mesh";
import { failure, judged, ok, warning } from "../check";
import type { Check, Result } from "../check";
import { KINDS } from "../cluster/live";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { compared } from "../plan/differences";
import { zonePodChecks } from "./zone-pods";

const PAGE = "admission.md#what-they-refuse";
const POLICY = "ValidatingAdmissionPolicy";
const BINDING = "ValidatingAdmissionPolicyBinding";
const IN_FORCE = "lucid-in-force";

export const admissionChecks: readonly Check[] = [
  ...zonePodChecks,
  {
    id: "admission-policies",
    category: "admission",
    phase: "after",
    title: "the mesh's admission policies are there, word for word as planned",
    tells:
      "Compares each ValidatingAdmissionPolicy with the plan, in both directions: a condition more could let pass what is to be refused.",
    remedy: "run `pulumi up`, which puts them right; then see who could change them",
    more: PAGE,
    needs: ["apis-served"],
    run: async (context) => {
      const found = await admissionDifferences(context, POLICY);
      return judged(found, "they are not as planned");
    },
  },
  {
    id: "admission-bindings",
    category: "admission",
    phase: "after",
    title: "every admission policy is bound, and denies",
    tells:
      "Compares each binding with the plan, in both directions: one that only warns, or looks at fewer objects, refuses nothing.",
    remedy: "run `pulumi up`, which puts them right; then see who could change them",
    more: PAGE,
    needs: ["apis-served"],
    run: async (context) => judged(await admissionDifferences(context, BINDING), "they are not as planned"),
  },
  {
    id: "admission-types",
    category: "admission",
    phase: "after",
    title: "the API server finds no fault with the admission policies' expressions",
    tells:
      "Reads what its type check says of each. With `failurePolicy: Fail` an expression that can't be evaluated refuses everything.",
    remedy: "it is a defect of the package for this version of Kubernetes: report it with the warning",
    more: "admission.md#limits",
    needs: ["admission-policies"],
    run: async ({ live }) => {
      const found = (await live.list(KINDS.admissionPolicies))
        .filter(isOurs)
        .flatMap((policy) =>
          (policy.status?.typeChecking?.expressionWarnings ?? []).map(
            ({ fieldRef, warning: text }) => `${policy.metadata.name} ${fieldRef}: ${text.split("\n")[0] ?? ""}`,
          ),
        );
      return judged(found, "some expressions don't fit the objects they look at");
    },
  },
  {
    id: "admission-in-force",
    category: "admission",
    phase: "after",
    title: "the API server holds requests against the planned generation of the policies",
    tells:
      "Asks by a dry run for an object that the policy `lucid-in-force` always refuses; the refusal names the generation. Of several API servers it is the one that answers. It is the one policy that can be asked so: the others let dry runs pass, and are held against the plan by `admission-policies`.",
    remedy: "wait a second after `pulumi up`; else look at `kubectl get validatingadmissionpolicies` and run it again",
    more: "admission.md#order",
    needs: ["namespaces-there", "admission-policies"],
    run: inForce,
  },
  {
    id: "admission-unknown",
    category: "admission",
    phase: "after",
    title: "there are no admission policies in the mesh's name that the document does not render",
    tells:
      "Lists policies and bindings that are called or labelled like the mesh's, and are not of the plan: left behind, or made to look like them.",
    remedy: "delete what is named",
    more: PAGE,
    needs: ["apis-served"],
    run: async (context) => {
      const { policies, bindings, planned } = await admissionObjects(context);
      const unknown = [
        ...compared(
          planned.filter(({ kind }) => kind === POLICY),
          policies.filter(isOurs),
        ).unknown,
        ...compared(
          planned.filter(({ kind }) => kind === BINDING),
          bindings.filter(isOurs),
        ).unknown,
      ];
      return judged(unknown, "there are others", undefined, warning);
    },
  },
];

function isOurs({
  metadata,
}: {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}): boolean {
  return metadata.labels?.[LABELS.partOf] === PART_OF || metadata.name.startsWith("lucid-");
}

async function admissionObjects(context: CheckContext) {
  const declared = declaredIn(context);
  return {
    planned: [...(await declared.objects(POLICY)), ...(await declared.objects(BINDING))],
    policies: await context.live.list(KINDS.admissionPolicies),
    bindings: await context.live.list(KINDS.admissionBindings),
  };
}

async function admissionDifferences(context: CheckContext, kind: string): Promise<readonly string[]> {
  const { planned, policies, bindings } = await admissionObjects(context);
  const own = planned.filter((one) => one.kind === kind);
  const { absent, changed } = compared(own, kind === POLICY ? policies : bindings, { exact: true });
  return [...absent, ...changed];
}

async function inForce(context: CheckContext): Promise<Result> {
  const policy = (await declaredIn(context).objects(POLICY)).find(({ metadata }) => metadata.name === IN_FORCE);
  const { variables = [] } = (policy?.spec ?? {}) as { variables?: readonly { name: string; expression: string }[] };
  const generation = JSON.parse(variables.find(({ name }) => name === "generation")?.expression ?? '""') as string;
  const metadata = { name: PROBE };
  const refusal = await context.cluster.refusalOf("/api/v1/namespaces/lucid-mesh/configmaps", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
  });
  if (refusal === undefined) return failure("it lets in what the policies always refuse");
  return refusal.includes(`generation ${generation} `)
    ? ok(`generation ${generation}`)
    : failure(`planned is generation ${generation}; it says: ${refusal}`);
}
