import * as path from "node:path";

import { cacheDir, stateDir } from "../paths";
import type { Toolchain } from "../toolchain";
import { Cgroups } from "./cgroups";
import { Daemons } from "./daemons";
import { nodeMachines, rootCgroup, stateFiles, type NodeMachine, type StateFiles } from "./layout";
import { Machines } from "./machines";
import { Pki } from "./pki";

/** What finds the cluster of this machine, up or not. */
export interface ClusterTools {
  readonly files: StateFiles;
  readonly cgroups: Cgroups;
  readonly machines: Machines;
  readonly daemons: Daemons;
}

/** What the parts of a cluster need to describe and start themselves. */
export interface ClusterContext extends ClusterTools {
  readonly programs: Toolchain["programs"];
  readonly pki: Pki;
  /** The first one carries the control plane. */
  readonly nodes: readonly NodeMachine[];
  /** Port of the API server on the host's 127.0.0.1. */
  readonly apiPort: number;
  /** Where the registry keeps its images; it outlives the cluster. */
  readonly registryStore: string;
  /** Notes on images, and the programs made for them. */
  readonly imagesDir: string;
}

/** The cluster of this machine and user. */
export function clusterTools(): ClusterTools {
  return clusterToolsAt(stateDir());
}

/** The cluster whose state is there. */
export function clusterToolsAt(state: string): ClusterTools {
  const files = stateFiles(state);
  const cgroups = Cgroups.ofThisMachine(rootCgroup(files.root, stateDir({})));
  const machines = new Machines(cgroups, files);
  const daemons = new Daemons(cgroups, files, (machine) => machines.anchor(machine));
  return { files, cgroups, machines, daemons };
}

/** Everything that is needed to start a cluster of `nodeCount` nodes. */
export function clusterContext(
  tools: ClusterTools,
  toolchain: Toolchain,
  nodeCount: number,
  apiPort: number,
): ClusterContext {
  return {
    ...tools,
    programs: toolchain.programs,
    pki: new Pki(tools.files.pki),
    nodes: nodeMachines(nodeCount),
    apiPort,
    registryStore: path.join(cacheDir(), "registry"),
    imagesDir: path.join(cacheDir(), "images"),
  };
}

/** Only one command at a time may change a cluster; outside the state, which `down` removes. */
export function lockFile({ cgroups }: ClusterTools): string {
  return path.join(cacheDir(), `${cgroups.root}.lock`);
}
