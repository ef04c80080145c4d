/** Which run of a job is which. */
import { createHash } from "node:crypto";
import type { Service } from "../model";
import type { JobWorkload } from "./model";

/**
 * Digest of what a job's declaration says of its pods and their limits, its version and its zone: a job with another is another job, and runs. What the mesh adds
 * to the pod is no part of it, nor are the job's calls.
 *
 * A field that is new in the model has to be absent where it has its default, or every job runs once more with the release that brings it.
 */
export function jobRevision({ version, zone }: Pick<Service, "version" | "zone">, workload: JobWorkload): string {
  const text = JSON.stringify({ version, zone, workload }, (_, value: unknown) => inOrder(value));
  return createHash("sha256").update(text).digest("hex").slice(0, 10);
}

/** With its keys sorted, so that the order in which code writes them makes no difference. */
function inOrder(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}
