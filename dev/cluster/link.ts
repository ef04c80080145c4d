import { clusterName, stateDir } from "../paths";
import { Refusal } from "../toolchain";
import { clusterToolsAt, type ClusterTools } from "./context";
import { networkOf, nodeMachines, switchMachine, type ClusterNetwork } from "./layout";
import { readRecord } from "./record";

/**
 * Joins this cluster with the usual one, as two datacenters are: their switches by a wire, over which each reaches the other's machines and pods, and neither the other's
 * Services. It lasts until one of them goes down. May be called again.
 *
 * @throws Refusal where one of them isn't up, or both are the usual one
 */
export async function linkClusters(): Promise<void> {
  const name = clusterName();
  if (name === undefined)
    throw new Refusal("this is the usual cluster; name the other one by LUCID_MESH_CLUSTER (b, say)");
  const usual = clusterToolsAt(stateDir({ ...process.env, LUCID_MESH_CLUSTER: undefined }));
  const own = clusterToolsAt(stateDir());
  const far = own.machines.anchor(switchMachine);
  if (far === undefined || usual.machines.anchor(switchMachine) === undefined)
    throw new Refusal("both clusters must be up; run 'npm run cluster -- up' with and without LUCID_MESH_CLUSTER");
  const ends = wireOf(name);
  await usual.machines.shell(
    switchMachine,
    `ip link show ${ends.device} >/dev/null 2>&1 || ip link add ${ends.device} type veth peer name usual netns ${String(far)}`,
  );
  await join(usual, networkOf(undefined), {
    device: ends.device,
    own: ends.usual,
    via: ends.other,
    far: networkOf(name),
  });
  await join(own, networkOf(name), { device: "usual", own: ends.other, via: ends.usual, far: networkOf(undefined) });
}

/** The wire between the usual cluster and another: its device at the usual one, and the address of each end. */
export function wireOf(name: string): { readonly device: string; readonly usual: string; readonly other: string } {
  const subnet = `10.76.${String(name.charCodeAt(0))}`;
  return { device: `cluster-${name}`, usual: `${subnet}.1`, other: `${subnet}.2` };
}

interface End {
  readonly device: string;
  readonly own: string;
  /** Address of the other end. */
  readonly via: string;
  /** What is behind it. */
  readonly far: ClusterNetwork;
}

/** Routes of a switch: to the other cluster by the wire, and to the pods of its own, whose nodes others know not. */
async function join(tools: ClusterTools, near: ClusterNetwork, { device, own, via, far }: End): Promise<void> {
  const nodes = nodeMachines(readRecord(tools.files.record)?.nodes ?? 1, near);
  await tools.machines.shell(
    switchMachine,
    [
      `ip addr replace ${own}/30 dev ${device}; ip link set ${device} up`,
      `ip route replace ${far.machines} via ${via}; ip route replace ${far.pods} via ${via}`,
      ...nodes.map(({ podCidr, address }) => `ip route replace ${podCidr} via ${address}`),
    ].join("\n"),
  );
}
