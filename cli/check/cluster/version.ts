/** Versions of Kubernetes. */
import type { Cluster } from "./cluster";

/** Native sidecars are on since 1.29, `preStop.sleep` and ValidatingAdmissionPolicies since 1.30. */
export const OLDEST_MINOR = 30;

/** What the API server calls itself: `v1.34.2`. */
export async function serverVersion(cluster: Cluster): Promise<string> {
  const { gitVersion } = (await cluster.get("/version")) as { readonly gitVersion?: string };
  return gitVersion ?? "unknown";
}

/** The minor version of Kubernetes 1; undefined for other texts. */
export function minorOf(version: string): number | undefined {
  const minor = /^v1\.(\d+)\b/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}
