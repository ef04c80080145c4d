/** Whether every service runs as declared. */
import { LABELS } from "../../../mesh";
import { counted, failure, judged, ok, warning } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import { isReady, isTrue, titleOf } from "../cluster/objects";
import type { Workload } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { serviceOf } from "../plan/declared";
import type { PlannedObject } from "../plan/declared";
import { compared } from "../plan/differences";

const PAGE = "sidecar.md#the-sidecar";
/** What a namespace has without anybody's doing. */
const GIVEN_ACCOUNT = "default";

export const workloadChecks: readonly Check[] = [
  {
    id: "workloads-ready",
    category: "sidecars",
    phase: "during",
    title: "every declared service runs with as many ready instances as declared",
    tells:
      "Reads the Deployments of the plan: that they are there, and that all their pods are new and ready. Pods of a service that another stack brings are for that stack to count: one ready at least; those of one outside the cluster are ready while that is well, which `outside-services` tells.",
    remedy:
      "`pods-scheduled`, `pods-start` and `start-gates` say what keeps pods back; where a Deployment is missing, run `pulumi up`",
    more: PAGE,
    needs: ["namespaces-there"],
    run: workloadsReady,
  },
  {
    id: "workloads",
    category: "sidecars",
    phase: "after",
    title: "the workloads are as planned",
    tells:
      "Compares Deployments, StatefulSets, DaemonSets, Jobs and CronJobs with the plan, their pods' templates included; what the API server adds is not looked at. Images that the update alone knows are taken to be right.",
    remedy: "run `pulumi up`, which puts them right; then see who changed them",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const kinds = [KINDS.deployments, KINDS.statefulSets, KINDS.daemonSets, KINDS.cronJobs, KINDS.jobs];
      const found = await Promise.all(
        kinds.map(async (kind) => {
          const planned = (await declaredIn(context).objects(kind.kind)).map(asRun);
          const { absent, changed } = compared(planned, await context.live.inZones(kind as typeof KINDS.deployments));
          return [...absent, ...changed];
        }),
      );
      return judged(found.flat(), "they are not as planned");
    },
  },
  {
    id: "sidecar-files",
    category: "sidecars",
    phase: "after",
    title: "the sidecars' files are as planned",
    tells:
      "Compares every ConfigMap of the plan, line for line, as far as the plan knows its text. That a sidecar has taken it is for `sidecar-updates` to tell.",
    remedy: "run `pulumi up`, which puts them right; then see who changed them",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const { absent, changed } = compared(
        await declaredIn(context).objects("ConfigMap"),
        await context.live.inZones(KINDS.configMaps),
      );
      return judged([...absent, ...changed], "they are not as planned");
    },
  },
  {
    id: "accounts",
    category: "sidecars",
    phase: "after",
    title: "the zones have the service accounts of their services, and no others",
    tells: "Compares ServiceAccounts with the plan. A revoked service has none.",
    remedy: "run `pulumi up`; delete accounts that are nobody's",
    more: "admission.md#what-they-refuse",
    needs: ["namespaces-there"],
    run: async (context) => {
      const planned = await declaredIn(context).objects("ServiceAccount");
      const live = (await context.live.inZones(KINDS.serviceAccounts)).filter(
        ({ metadata }) => metadata.name !== GIVEN_ACCOUNT,
      );
      const { absent, changed, unknown } = compared(planned, live);
      return judged(
        [...absent, ...changed, ...unknown.map((text) => `${text} is nobody's`)],
        "they are not as planned",
      );
    },
  },
  {
    id: "disruption-budgets",
    category: "sidecars",
    phase: "after",
    title: "every service that runs all the time has its PodDisruptionBudget",
    tells: "Compares the budgets with the plan.",
    remedy: "run `pulumi up`",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const planned = await declaredIn(context).objects("PodDisruptionBudget");
      const { absent, changed } = compared(planned, await context.live.inZones(KINDS.disruptionBudgets));
      return judged([...absent, ...changed], "draining a node could end a service");
    },
  },
  {
    id: "jobs",
    category: "sidecars",
    phase: "after",
    title: "no job has failed, and no CronJob is suspended",
    tells: "Reads the conditions of Jobs in the zones, those of CronJobs included.",
    remedy: "look at the logs of the job's pods; a job runs again when what it says is changed",
    more: "sidecar.md#jobs",
    needs: ["namespaces-there"],
    run: async ({ live }) => {
      const failed = (await live.inZones(KINDS.jobs)).filter(({ status }) => isTrue(status?.conditions, "Failed"));
      const suspended = (await live.inZones(KINDS.cronJobs)).filter(({ spec }) => spec?.suspend === true);
      return judged(
        [...failed.map((job) => `${titleOf(job)} failed`), ...suspended.map((job) => `${titleOf(job)} is suspended`)],
        "work was not done",
      );
    },
  },
];

/** A Job can't be changed: what it says is another one's name, and its template stays as it was first made. */
function asRun(planned: PlannedObject): PlannedObject {
  return planned.kind === "Job" ? ({ ...planned, spec: null } as unknown as PlannedObject) : planned;
}

async function workloadsReady(context: CheckContext) {
  const declared = declaredIn(context);
  const live = new Map((await context.live.inZones(KINDS.deployments)).map((one) => [titleOf(one), one]));
  const planned = await declared.objects("Deployment");
  const outside = new Set(
    declared.mesh.services.filter(({ workload }) => workload.kind === "external").map(({ name }) => name),
  );
  const found = planned.flatMap((one) => {
    const own = live.get(titleOf(one));
    if (own === undefined) return [`${titleOf(one)} is missing`];
    const replicas = (one.spec as { replicas?: number } | undefined)?.replicas ?? 1;
    return behind(own, replicas, outside.has(serviceOf(one) ?? ""));
  });
  if (found.length > 0) return failure("services are not there, or not whole", found);
  const ready = (await context.live.inZones(KINDS.pods)).filter(isReady);
  const joined = declared.mesh.services.filter(
    ({ workload, revoked }) => workload.kind === "joined" && revoked === undefined,
  );
  const absent = joined.filter(
    ({ name, namespace }) =>
      !ready.some(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[LABELS.name] === name),
  );
  if (absent.length > 0)
    return warning(
      "services that other stacks bring have no ready pod",
      absent.map(({ namespace, name }) => `${namespace}/${name}`),
      "ask those who bring them",
    );
  return ok(counted(planned.length, "Deployment"));
}

/** @param isOutside its pods' being ready is no matter of the cluster's */
function behind(deployment: Workload, replicas: number, isOutside: boolean): readonly string[] {
  const { spec, status = {}, metadata } = deployment;
  const title = titleOf(deployment);
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return [`${title}: its last change is not taken up yet`];
  if (spec.replicas !== replicas)
    return [`${title} is scaled to ${String(spec.replicas ?? 1)}, not to ${String(replicas)}`];
  const { readyReplicas = 0, updatedReplicas = 0 } = status;
  if (updatedReplicas < replicas)
    return [`${title}: ${String(updatedReplicas)} of ${String(replicas)} pods are of its last change`];
  return readyReplicas === replicas || isOutside
    ? []
    : [`${title}: ${String(readyReplicas)} of ${String(replicas)} pods are ready`];
}
