import { meshObjects, readManifests } from "../../../policies/reachability";
import { readDirectories, readReportedAcl } from "../../../policies/reachability/registration";
import type { Directory } from "../../../policies/reachability/registration";
import { backend, credentials } from "./discovery";
import { liveObjects } from "./live-objects";

/**
 * The layer of registration, computed from what the cluster and the backend hold now.
 *
 * @throws Error where it can't be judged
 */
export async function computedRegistration(): Promise<Directory> {
  const reported = await credentials();
  const acl = reported === undefined ? undefined : readReportedAcl(readManifests(reported)[0] ?? null);
  const objects = meshObjects(readManifests(await liveObjects()));
  const { directories, findings } = readDirectories(objects, acl === undefined ? {} : { acl });
  const directory = directories?.find((candidate) => candidate.backend === backend);
  if (directory === undefined) throw new Error(`who may register can't be judged: ${JSON.stringify(findings)}`);
  return directory;
}
