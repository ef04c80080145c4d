/** Jobs, from the document to the model. */
import type { Application, Service } from "../model";
import type { JobDeclaration } from "../schema";
import { seconds } from "./duration";
import type { JobWorkload } from "./model";

/** A job of an application, every default filled in. @throws RangeError where a cronjob has no schedule: the document was not checked */
export function resolveJob(application: Application, declared: JobDeclaration): JobWorkload {
  const { kind, schedule, timeZone, concurrencyPolicy, completions, parallelism, backoffLimit } = declared;
  if (kind === "cronjob" && schedule === undefined) throw new RangeError("a cronjob has no schedule");
  return {
    ...application,
    kind: "job",
    ...(schedule === undefined
      ? {}
      : {
          schedule: {
            cron: schedule,
            timeZone: timeZone ?? DEFAULT_TIME_ZONE,
            concurrencyPolicy: concurrencyPolicy ?? DEFAULT_CONCURRENCY_POLICY,
          },
        }),
    completions,
    parallelism,
    backoffLimit,
    ...(declared.activeDeadline === undefined ? {} : { activeDeadlineSeconds: seconds(declared.activeDeadline) }),
  };
}

/** Never the zone of whatever node the cluster's controllers happen to run on. */
const DEFAULT_TIME_ZONE = "Etc/UTC";
const DEFAULT_CONCURRENCY_POLICY = "Forbid";

/** Whether a service ends by itself. Nobody calls it, and it is not registered. */
export function isJob({ workload }: Pick<Service, "workload">): boolean {
  return workload.kind === "job";
}

/** Pods of a service that run at once, as far as it is declared. */
export function podsAtOnce({ workload }: Pick<Service, "workload">): number {
  return workload.kind === "job" ? workload.parallelism : workload.replicas;
}
