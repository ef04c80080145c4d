/** Work that ends by itself. */
import type { Application } from "../model";

/** What a second run does while the one before is under way: `Forbid`: it does not begin; `Replace`: the one before is ended; `Allow`: both run. */
export const CONCURRENCY_POLICIES = ["Forbid", "Replace", "Allow"] as const;

/** A Job, or with a schedule a CronJob. It calls, and nobody calls it: it has no port. */
export interface JobWorkload extends Application {
  readonly kind: "job";
  /** When it runs; absent: once, when it is deployed. */
  readonly schedule?: Schedule;
  /** Pods that must succeed for a run to be complete. */
  readonly completions: number;
  /** Pods of a run at once, at most. */
  readonly parallelism: number;
  /** Pods of a run that may fail before the run has. */
  readonly backoffLimit: number;
  /** Seconds after which a run is ended, and has failed; absent: it may take as long as it likes. */
  readonly activeDeadlineSeconds?: number;
}

export interface Schedule {
  /** Five fields or a macro (`@daily`), as Kubernetes reads them. */
  readonly cron: string;
  /** A name of the IANA time zone database. */
  readonly timeZone: string;
  readonly concurrencyPolicy: (typeof CONCURRENCY_POLICIES)[number];
}
