/** Whether the cluster is told of the mesh's services as the document has them. */
import { MESH_SERVICE } from "../../../mesh/custom-resource";
import { counted, judged, warning } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { compared } from "../plan/differences";

const PAGE = "controller.md#meshservice";

export const meshServiceChecks: readonly Check[] = [
  {
    id: "mesh-service-definition",
    category: "controller",
    phase: "after",
    title: "the API server knows what a MeshService is, as planned",
    tells: `Compares the CustomResourceDefinition ${MESH_SERVICE.definition} with the plan, and reads whether it is established.`,
    remedy: "run `pulumi up`, which puts it right; then see who could change it",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const live = (await context.live.list(KINDS.definitions)).filter(
        ({ metadata }) => metadata.name === MESH_SERVICE.definition,
      );
      const { absent, changed } = compared(await declaredIn(context).objects("CustomResourceDefinition"), live);
      const unsettled = live
        .flatMap(({ status }) => status?.conditions ?? [])
        .filter(({ type, status }) => ["NamesAccepted", "Established"].includes(type) && status !== "True")
        .map(({ type, message }) => `${type} is not so: ${message ?? ""}`);
      return judged([...absent, ...changed, ...unsettled], "it is not as planned");
    },
  },
  {
    id: "mesh-services",
    category: "controller",
    phase: "after",
    title: "every service has its MeshService, which says what the document says, and there are no others",
    tells:
      "Compares the MeshServices of all zones with the plan. What the controller says of them is not looked at here.",
    remedy: "run `pulumi up`, which puts them right, and delete those that the plan does not have",
    more: PAGE,
    needs: ["mesh-service-definition"],
    run: async (context) => {
      const { planned, absent, changed, unknown } = await differences(context);
      const others = unknown.map((title) => `${title} is not declared`);
      return judged([...absent, ...changed, ...others], "they are not as planned", counted(planned, "service"));
    },
  },
  {
    id: "mesh-services-well",
    category: "controller",
    phase: "after",
    title: "no MeshService has a condition that says that something is amiss",
    tells:
      "Reads the conditions that the controller writes. One that it could not judge, or judged by an older declaration, is told as well.",
    remedy: "see what the condition says; `kubectl describe meshservice` has all of them",
    more: PAGE,
    needs: ["mesh-services", "controller-health"],
    run: async ({ live }) => {
      const found = (await live.inZones(KINDS.meshServices)).flatMap(({ metadata, status }) => {
        const title = `${metadata.namespace ?? ""}/${metadata.name}`;
        const conditions = status?.conditions ?? [];
        if (conditions.length === 0) return [`${title}: the controller has said nothing of it`];
        return conditions.flatMap(({ type, status: value, reason, message, observedGeneration }) => {
          if (observedGeneration !== metadata.generation) return [`${title}: ${type} is of an older declaration`];
          const isWell = value === (TROUBLES.has(type) ? "False" : "True");
          return isWell || EXPECTED.has(reason ?? "") ? [] : [`${title}: ${type} is ${value}: ${message ?? ""}`];
        });
      });
      return judged(found, "services are not as they should be", undefined, warning);
    },
  },
];

/** Conditions that are well where they are not so. */
const TROUBLES: ReadonlySet<string> = new Set(["Drifted"]);
/** Why a condition is not so, and is not to be. */
const EXPECTED: ReadonlySet<string> = new Set(["RunsToCompletion", "Revoked"]);

async function differences(context: CheckContext) {
  const planned = await declaredIn(context).objects(MESH_SERVICE.kind);
  return {
    planned: planned.length,
    ...compared(planned, await context.live.inZones(KINDS.meshServices), { exact: true }),
  };
}
