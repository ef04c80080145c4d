import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../mesh";
import type { JobWorkload } from "../../mesh/model";
import { jobRevision } from "../../mesh/jobs/revision";
import { workloadLabels } from "./pod";
import type { PodTemplate } from "./pod-template";
import { toTemplateSpec } from "./pod-template";
import { START_GATE_CONTAINER } from "./sidecar-conflicts";

type JobSpec = kubernetes.types.input.batch.v1.JobSpec;

/** Exit status of a start gate that did not find the pod's NetworkPolicy enforced in time. */
const NOT_ISOLATED = 1;
/** Seconds beyond a job's own deadline that are waited for its controller to say how it ended. */
const VERDICT_SECONDS = 60;

/**
 * What a job runs as: a CronJob where it has a schedule, and otherwise a Job.
 *
 * @param template the job's pod with its sidecar
 */
export function jobResource(
  name: string,
  service: Service,
  workload: JobWorkload,
  template: PodTemplate,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  const labels = workloadLabels(service.name, service.zone, service.version);
  const metadata = { name: service.name, namespace: service.namespace, labels };
  const { schedule } = workload;
  if (schedule !== undefined) {
    return new kubernetes.batch.v1.CronJob(
      `${name}-cronjob`,
      {
        metadata,
        spec: {
          schedule: schedule.cron,
          timeZone: schedule.timeZone,
          concurrencyPolicy: schedule.concurrencyPolicy,
          suspend: false,
          jobTemplate: { metadata: { labels }, spec: jobSpec(workload, template) },
        },
      },
      opts,
    );
  }
  const revision = jobRevision(service, workload);
  return new kubernetes.batch.v1.Job(
    `${name}-job-${revision}`,
    { metadata: { ...metadata, name: `${service.name}-${revision}` }, spec: jobSpec(workload, template) },
    {
      ...opts,
      // A Job's template can't be changed: each change of the mesh's own, a new Envoy for one, would make another Job and run it again.
      ignoreChanges: ["spec.template"],
      ...patience(workload),
    },
  );
}

/**
 * No `ttlSecondsAfterFinished`: a Job that is gone would be made, and run, again by the next `pulumi up` that refreshes. It stays as the record of its run,
 * until its declaration changes.
 */
function jobSpec(workload: JobWorkload, template: PodTemplate): JobSpec {
  const { completions, parallelism, backoffLimit, activeDeadlineSeconds } = workload;
  return {
    completions,
    parallelism,
    backoffLimit,
    ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
    // Never more pods than are declared: another one begins when the one before has really ended.
    podReplacementPolicy: "Failed",
    // A pod that the start gate ended never began: it is no try of the job's.
    podFailurePolicy: {
      rules: [
        {
          action: "Ignore",
          onExitCodes: { containerName: START_GATE_CONTAINER, operator: "In", values: [NOT_ISOLATED] },
        },
      ],
    },
    // Each try is a pod of its own, whose log stays.
    template: toTemplateSpec({ ...template, spec: { ...template.spec, restartPolicy: "Never" } }),
  };
}

/** `pulumi up` waits for a Job to complete, by the provider's own ten minutes where it has no deadline. */
function patience({ activeDeadlineSeconds }: JobWorkload): Pick<pulumi.CustomResourceOptions, "customTimeouts"> {
  if (activeDeadlineSeconds === undefined) return {};
  const seconds = `${String(activeDeadlineSeconds + VERDICT_SECONDS)}s`;
  return { customTimeouts: { create: seconds, update: seconds } };
}
