import * as fs from "node:fs";
import * as path from "node:path";

import { binDir } from "../paths";
import { clusterTools, type ClusterTools } from "./context";
import { messageOf } from "./errors";
import { Kubectl } from "./kubectl";
import { readRecord, type ClusterRecord } from "./record";

export interface ComponentStatus {
  readonly machine: string;
  readonly name: string;
  /** Undefined when it doesn't run. */
  readonly pid: number | undefined;
  /** Memory of the component and what it started, in bytes; undefined where it isn't counted. */
  readonly memory: number | undefined;
  readonly log: string;
}

export interface NodeStatus {
  readonly name: string;
  readonly ready: boolean;
  /** Of all its pods, in bytes. */
  readonly podMemory: number | undefined;
}

export interface ClusterStatus {
  /** `absent`: nothing of a cluster is there. `healthy`: all components run, all nodes and pods are ready. */
  readonly state: "absent" | "healthy" | "unhealthy";
  readonly nodes: readonly NodeStatus[];
  readonly components: readonly ComponentStatus[];
  readonly podsNotReady: readonly { readonly namespace: string; readonly name: string; readonly phase: string }[];
  /** What is wrong beside that. */
  readonly problems: readonly string[];
  /** Memory of the whole cluster, page cache apart, in bytes. */
  readonly memory: number | undefined;
  readonly apiPort: number | undefined;
  readonly dockerSocket: string;
}

/** Looks at the cluster; changes nothing. */
export async function clusterStatus(): Promise<ClusterStatus> {
  const tools = clusterTools();
  const { files, cgroups } = tools;
  const record = readRecord(files.record);
  const leftovers = cgroups.processes([], true);
  const components = (record?.daemons ?? []).map((daemon) => componentStatus(tools, daemon));
  const common = { components, memory: cgroups.memory(), apiPort: record?.apiPort, dockerSocket: files.dockerSocket };
  if (record === undefined) {
    const problems =
      leftovers.length === 0
        ? []
        : [
            `${String(leftovers.length)} processes of a cluster that isn't whole: run 'npm run cluster -- up' or 'down'`,
          ];
    return { ...common, state: problems.length === 0 ? "absent" : "unhealthy", nodes: [], podsNotReady: [], problems };
  }
  const problems = components
    .filter(({ pid }) => pid === undefined)
    .map(({ machine, name, log }) => `${name} on ${machine} doesn't run: see ${log}, then run 'npm run cluster -- up'`);
  try {
    const { nodes, podsNotReady } = await askApi(tools, record);
    const healthy = problems.length === 0 && nodes.every(({ ready }) => ready) && podsNotReady.length === 0;
    return { ...common, state: healthy ? "healthy" : "unhealthy", nodes, podsNotReady, problems };
  } catch (error) {
    problems.push(`the API server doesn't answer: ${messageOf(error)}`);
    return { ...common, state: "unhealthy", nodes: [], podsNotReady: [], problems };
  }
}

function componentStatus(tools: ClusterTools, daemon: ClusterRecord["daemons"][number]): ComponentStatus {
  const { machine: name, name: component, program } = daemon;
  const machine = { name, address: undefined };
  return {
    machine: name,
    name: component,
    pid: tools.daemons.pid({ name: component, machine, program }),
    memory: tools.cgroups.memory(name, component),
    log: tools.files.log(machine, component),
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

interface ApiObject {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] };
}

async function askApi(
  tools: ClusterTools,
  record: ClusterRecord,
): Promise<Pick<ClusterStatus, "nodes" | "podsNotReady">> {
  if (!fs.existsSync(tools.files.kubeconfig)) {
    throw new Error("it was never started");
  }
  const kubectl = new Kubectl(path.join(binDir(), "kubectl"), tools.files.kubeconfig);
  const [nodes, pods] = await Promise.all([kubectl.list<ApiObject>("nodes"), kubectl.list<ApiObject>("pods")]);
  const isReady = (object: ApiObject): boolean =>
    object.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  const names = Array.from({ length: record.nodes }, (_, index) => `node${String(index + 1)}`);
  return {
    nodes: names.map((name) => ({
      name,
      ready: nodes.some((node) => node.metadata.name === name && isReady(node)),
      podMemory: tools.cgroups.memory(name, "pods"),
    })),
    podsNotReady: pods
      .filter((pod) => pod.status?.phase !== "Succeeded" && !isReady(pod))
      .map((pod) => ({
        namespace: pod.metadata.namespace ?? "",
        name: pod.metadata.name,
        phase: pod.status?.phase ?? "Unknown",
      })),
  };
}
