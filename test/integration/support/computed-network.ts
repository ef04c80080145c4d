import { network } from "../../../dev/cluster/layout";
import { meshObjects, partyName, partyOf, readManifests } from "../../../policies/reachability";
import { Reachability, readCluster } from "../../../policies/reachability/network";
import type { Workload } from "../../../policies/reachability/network";
import { liveObjects } from "./live-objects";

/** Who stands at one end of a connection: a service, or infrastructure without a sidecar. */
export interface Party {
  readonly name: string;
  readonly zone: string;
}

/** Whether a party may open a TCP connection to a port of another. */
export type Computed = (from: Party, to: Party, port: number) => boolean;

/**
 * The network layer of the proof, computed from what the cluster holds now.
 *
 * @throws Error where it can't be judged, and of parties that have no workload
 */
export async function computedNetwork(): Promise<Computed> {
  const { cluster, findings } = readCluster(meshObjects(readManifests(await liveObjects())), {
    clusterAddresses: [network.pods, network.services],
  });
  if (cluster === undefined) throw new Error(`the cluster can't be judged: ${JSON.stringify(findings)}`);
  const reachability = new Reachability(cluster);
  const byParty = new Map(reachability.workloads.map((workload) => [partyOf(workload), workload]));
  const workloadOf = ({ zone, name }: Party): Workload => {
    const workload = byParty.get(partyName(zone, name));
    if (workload === undefined) throw new Error(`no workload of the cluster is ${partyName(zone, name)}`);
    return workload;
  };
  return (from, to, port) => reachability.between(workloadOf(from), workloadOf(to)).ports.has("TCP", port);
}
