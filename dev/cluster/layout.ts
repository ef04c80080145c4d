import { createHash } from "node:crypto";
import * as path from "node:path";
import { clusterName } from "../paths";

/**
 * Where everything of the embedded cluster is: addresses, names, files. Pure, so that every other file agrees.
 *
 * The cluster consists of *machines*: sets of namespaces (network, mount, host name) of their own, joined by a bridge in
 * the machine `switch`. `builder` runs the registry and the Docker engine, `node<n>` the Kubernetes nodes; `node1` runs
 * the control plane too. `host` is the machine that all of it runs on: only port forwarders run there.
 */
export const network = networkOf(clusterName());

/** Addresses of one cluster. */
export interface ClusterNetwork {
  /** What its machines' addresses begin with. */
  readonly prefix: string;
  /** The machines' own network; nothing outside routes to it. */
  readonly machines: string;
  readonly switchAddress: string;
  readonly builderAddress: string;
  readonly controlPlaneAddress: string;
  readonly apiPort: number;
  /** What addresses of pods begin with. */
  readonly podPrefix: string;
  readonly pods: string;
  readonly services: string;
  readonly apiService: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
}

/** The addresses of a cluster by its name: no two have one in common, so that they can be joined. @param name undefined for the usual one */
export function networkOf(name: string | undefined): ClusterNetwork {
  const place = name === undefined ? 0 : name.charCodeAt(0) - "a".charCodeAt(0);
  const prefix = `10.${String(77 + place)}.0`;
  const podPrefix = `10.${String(244 + place)}`;
  const servicePrefix = `10.${String(96 + 16 * place)}.0`;
  return {
    prefix,
    machines: `${prefix}.0/24`,
    switchAddress: `${prefix}.1`,
    builderAddress: `${prefix}.2`,
    controlPlaneAddress: `${prefix}.10`,
    apiPort: 6443,
    podPrefix,
    pods: `${podPrefix}.0.0/16`,
    services: `${servicePrefix}.0/12`,
    apiService: `${servicePrefix}.1`,
    clusterDns: `${servicePrefix}.10`,
    clusterDomain: "cluster.local",
  };
}

/** Name under which machines reach the embedded registry (HTTPS, port 443). */
export const registryHost = "registry.lucid.internal";

/** Registries whose images the embedded registry serves, under their public names. */
export const mirroredRegistries = ["docker.io", "quay.io", "registry.k8s.io", registryHost] as const;

/**
 * Name of the cgroup, in every hierarchy, that holds every process of a cluster and nothing else. The cluster of the usual
 * state directory is `lucid-mesh`; one whose state is kept elsewhere is another cluster, which this name keeps apart.
 */
export function rootCgroup(state: string, usualState: string): string {
  const name = "lucid-mesh";
  return state === usualState ? name : `${name}-${createHash("sha256").update(state).digest("hex").slice(0, 8)}`;
}

/** More nodes than this do not fit the addresses (10.77.0.10 to .209); two cores carry far fewer. */
export const maxNodes = 200;

/** A set of namespaces of the cluster, or the `host` itself. */
export interface Machine {
  readonly name: string;
  /** Address on the bridge; undefined for `host`. */
  readonly address: string | undefined;
}

/** A machine that is a Kubernetes node. */
export interface NodeMachine extends Machine {
  readonly address: string;
  /** Counted from 1. */
  readonly index: number;
  readonly podCidr: string;
}

/** The machine that carries the cluster; it runs the forwarders. */
export const host: Machine = { name: "host", address: undefined };
/** Holds the bridge. */
export const switchMachine: Machine = { name: "switch", address: network.switchAddress };
/** Runs the registry and the Docker engine, whose firewall rules would be in the nodes' way. */
export const builder: Machine = { name: "builder", address: network.builderAddress };

/** Node `index`, counted from 1: `node1` has 10.77.0.10 and the pods 10.244.1.0/24. */
export function nodeMachine(index: number, { prefix, podPrefix }: ClusterNetwork = network): NodeMachine {
  if (!Number.isInteger(index) || index < 1 || index > maxNodes) {
    throw new RangeError(`node ${String(index)}: nodes are counted from 1 to ${String(maxNodes)}`);
  }
  return {
    name: `node${String(index)}`,
    address: `${prefix}.${String(9 + index)}`,
    index,
    podCidr: `${podPrefix}.${String(index)}.0/24`,
  };
}

/** The nodes of a cluster of `count` nodes, the control plane's first. */
export function nodeMachines(count: number, of: ClusterNetwork = network): NodeMachine[] {
  return Array.from({ length: count }, (_, position) => nodeMachine(position + 1, of));
}

/** Files below the state directory; {@link stateFiles} computes them. */
export interface StateFiles {
  readonly root: string;
  /** Keys and certificates; 0700. */
  readonly pki: string;
  /** Sockets that the host may use. */
  readonly run: string;
  readonly logs: string;
  /** Directories of PersistentVolumes. */
  readonly volumes: string;
  /** What the cluster was asked to be at its last start. */
  readonly record: string;
  readonly kubeconfig: string;
  readonly dockerSocket: string;
  readonly apiSocket: string;
  readonly registrySocket: string;
  /** Files of one machine that survive its restart. */
  machine(machine: Machine, ...names: readonly string[]): string;
  /** Log of one component; it is begun anew when the component is, and the one before is kept as `.1`. */
  log(machine: Machine, component: string): string;
}

/** The files of a cluster whose state directory is `root`. */
export function stateFiles(root: string): StateFiles {
  const run = path.join(root, "run");
  const logs = path.join(root, "logs");
  return {
    root,
    pki: path.join(root, "pki"),
    run,
    logs,
    volumes: path.join(root, "volumes"),
    record: path.join(root, "cluster.json"),
    kubeconfig: path.join(root, "kubeconfig"),
    dockerSocket: path.join(run, "docker.sock"),
    apiSocket: path.join(run, "apiserver.sock"),
    registrySocket: path.join(run, "registry.sock"),
    machine: (machine, ...names) => path.join(root, "machines", machine.name, ...names),
    log: (machine, component) => path.join(logs, machine.name, `${component}.log`),
  };
}
