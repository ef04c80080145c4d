/** What becomes of pods that somebody makes in the zones' namespaces, before the mesh's own policies look at them. */
import { judged, skipped, warning } from "../check";
import type { Check, Result } from "../check";
import { ClusterError } from "../cluster/cluster";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import type { WebhookConfiguration } from "../cluster/objects";
import { selects } from "../cluster/selector";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { compared } from "../plan/differences";

const PAGE = "admission.md#what-they-refuse";

export const zonePodChecks: readonly Check[] = [
  {
    id: "mutating-webhooks",
    category: "admission",
    phase: "before",
    title: "no webhook of others changes pods in the zones",
    tells:
      "Reads which mutating webhooks are asked about new pods there, by their rules and namespace selectors (the labels that the plan gives the namespaces). What they would change is not known; an injected container is refused by the admission policies, and by Pod Security where it is not restricted.",
    remedy: "exclude the zones' namespaces from the webhook (most have a label for that)",
    more: "admission.md#limits",
    needs: ["document"],
    run: async (context) => {
      const namespaces = await declaredIn(context).objects("Namespace");
      const labels = namespaces.map(({ metadata }) => ({
        ...metadata.labels,
        "kubernetes.io/metadata.name": metadata.name,
      }));
      const found = (await context.live.list(KINDS.mutatingWebhooks)).flatMap((one) => askedAboutPods(one, labels));
      return judged(found, "pods of the mesh go through the hands of others", undefined, warning);
    },
  },
  {
    id: "namespace-labels",
    category: "admission",
    phase: "after",
    title: "the zones' namespaces bear their zone and enforce the level `restricted`",
    tells: "Compares the namespaces' labels with the plan.",
    remedy: "run `pulumi up`, which puts them right",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const planned = await declaredIn(context).objects("Namespace");
      const { absent, changed } = compared(planned, await context.live.list(KINDS.namespaces));
      return judged([...absent, ...changed], "labels are missing, or say something else");
    },
  },
  {
    id: "pod-security-enforced",
    category: "admission",
    phase: "after",
    title: "every zone refuses a privileged pod",
    tells:
      "Asks by a dry run for a pod in the node's network and process namespace, in each zone's namespace. It must be refused by Pod Security itself: the mesh's own policies let dry runs pass.",
    remedy: "see to `namespace-labels` and `pod-security-admission`",
    more: PAGE,
    needs: ["namespaces-there"],
    run: privilegedPods,
  },
];

async function privilegedPods(context: CheckContext): Promise<Result> {
  const findings: string[] = [];
  for (const { namespace } of declaredIn(context).mesh.zones) {
    const spec = {
      hostNetwork: true,
      hostPID: true,
      containers: [{ name: "check", image: "example.invalid/check:1.0.0" }],
    };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "mesh-check" }, spec };
    const refusal = await refusalIn(context, `/api/v1/namespaces/${namespace}/pods`, pod);
    if (refusal === undefined) findings.push(`${namespace} would let it in`);
    else if (!refusal.includes("PodSecurity")) return skipped(`${namespace} refused it for another reason: ${refusal}`);
  }
  return judged(findings, "Pod Security is not enforced");
}

/** As `Cluster.refusalOf`; a namespace that has gone meanwhile refuses too. */
async function refusalIn({ cluster }: CheckContext, path: string, object: object): Promise<string | undefined> {
  try {
    return await cluster.refusalOf(path, object);
  } catch (error) {
    if (error instanceof ClusterError && error.status === 404) return error.message;
    throw error;
  }
}

function askedAboutPods(
  configuration: WebhookConfiguration,
  namespaces: readonly Readonly<Record<string, string>>[],
): readonly string[] {
  return (configuration.webhooks ?? []).flatMap(({ name, rules = [], namespaceSelector = {} }) => {
    const looks = rules.some(
      ({ apiGroups = [], resources = [], operations = [] }) =>
        apiGroups.some((group) => group === "" || group === "*") &&
        resources.some((resource) => resource === "pods" || resource === "*" || resource === "*/*") &&
        operations.some((operation) => operation === "CREATE" || operation === "*"),
    );
    const zones = namespaces.filter((labels) => selects(namespaceSelector, labels)).length;
    return looks && zones > 0
      ? [`${titleOf(configuration)}, ${name}: in ${String(zones)} of the zones' namespaces`]
      : [];
  });
}
