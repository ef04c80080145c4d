import * as fs from "node:fs";
import * as path from "node:path";

import { cacheDir, kubeconfigPath } from "../paths";
import { ensureToolchain, Progress, progressSettings, Refusal, type Part } from "../toolchain";
import { withLock } from "../toolchain/lock";
import { clusterContext, clusterTools, lockFile, type ClusterContext } from "./context";
import type { Kubectl } from "./kubectl";
import { writePrivate } from "./kubeconfig";
import { maxNodes, network, nodeMachine } from "./layout";
import { checkDirectory, checkDisk, freePort, requireRoot } from "./preflight";
import { dnsReady, nodesReady } from "./ready";
import { readRecord, writeRecord } from "./record";
import {
  allDaemons,
  publishImages,
  startApi,
  startControllers,
  startImages,
  startMachines,
  startNode,
  startRuntime,
} from "./start";

/** What the cluster is made of; Pulumi and its plugins are not. */
const neededParts: readonly Part[] = [
  "debian",
  "envoy",
  "kubernetes",
  "kube-router",
  "coredns",
  "consul",
  "etcd-server",
  "fortio",
  "jaeger",
  "local-volume-provisioner",
];

export interface ClusterUpOptions {
  /** 1 unless a cluster runs already, which keeps its number. */
  readonly nodes?: number;
  /** Port of the API server on 127.0.0.1; without it 6443, or the next free one. */
  readonly port?: number;
  /** Where to write the kubeconfig; by default `.state/kubeconfig` of this checkout. */
  readonly kubeconfig?: string;
  readonly progress?: Progress;
}

/** How to reach the cluster from this machine. */
export interface ClusterAccess {
  /** Mode 0600. */
  readonly kubeconfig: string;
  /** Socket of the Docker engine, for `DOCKER_HOST=unix://…`. */
  readonly dockerSocket: string;
  readonly nodes: number;
  readonly apiPort: number;
}

/**
 * Brings the embedded cluster of this machine up: what runs already is left alone, what a crash left is repaired. Returns
 * when all nodes are ready and the cluster's DNS answers.
 *
 * @throws Refusal when the person has to mend something first
 */
export async function clusterUp(options: ClusterUpOptions = {}): Promise<ClusterAccess> {
  const progress = options.progress ?? new Progress(progressSettings("cluster"));
  if (
    options.nodes !== undefined &&
    !(Number.isInteger(options.nodes) && options.nodes >= 1 && options.nodes <= maxNodes)
  ) {
    throw new Refusal(`--nodes ${String(options.nodes)}: give a whole number from 1 to ${String(maxNodes)}`);
  }
  requireRoot();
  const tools = clusterTools();
  checkDirectory(tools.files.root, "LUCID_MESH_STATE");
  checkDirectory(cacheDir(), "LUCID_MESH_CACHE");
  checkDisk(tools.files.root);
  checkDisk(cacheDir());
  const toolchain = await ensureToolchain({ only: neededParts, progress });
  const waiting = (): void => {
    progress.say("another command is at work on the cluster; waiting for it to end");
  };
  return withLock(lockFile(tools), waiting, async () => {
    const before = readRecord(tools.files.record);
    if (before === undefined && tools.cgroups.processes([], true).length > 0) {
      progress.say("a cluster runs whose state is gone; ending it first");
      await tools.cgroups.destroy();
    }
    const nodes = options.nodes ?? before?.nodes ?? 1;
    const apiPort = await choosePort(tools, before?.apiPort, options.port);
    const context = clusterContext(tools, toolchain, nodes, apiPort);
    writeRecord(tools.files.record, { nodes, apiPort, daemons: await prepare(context) });
    await start(context, progress, before?.nodes ?? 0);
    const kubeconfig = path.resolve(options.kubeconfig ?? kubeconfigPath);
    writePrivate(kubeconfig, fs.readFileSync(tools.files.kubeconfig, "utf8"));
    linkDockerSocket(path.join(path.dirname(kubeconfig), "docker.sock"), tools.files.dockerSocket);
    return { kubeconfig, dockerSocket: tools.files.dockerSocket, nodes, apiPort };
  });
}

async function choosePort(
  tools: ReturnType<typeof clusterTools>,
  recorded: number | undefined,
  asked: number | undefined,
): Promise<number> {
  const running = tools.cgroups.processes(["host", "apiserver-port"], false).length > 0;
  if (running && recorded !== undefined && (asked === undefined || asked === recorded)) {
    return recorded;
  }
  return freePort(recorded ?? network.apiPort, asked);
}

async function prepare(context: ClusterContext): ReturnType<typeof allDaemons> {
  for (const directory of [context.files.run, context.files.logs, context.files.volumes]) {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  return allDaemons(context);
}

async function start(context: ClusterContext, progress: Progress, nodesBefore: number): Promise<void> {
  await progress.step("namespaces and network", () => startMachines(context));
  const runtimes = Promise.all(context.nodes.map((node) => startRuntime(context, node)));
  const imagesReady = progress.step("images", async (step) => {
    const client = await startImages(context);
    await publishImages(context, client, (text) => {
      step.note(text);
    });
  });
  const apiReady = progress.step("etcd and API server", () => startApi(context));
  const [kubectl] = await Promise.all([apiReady, runtimes, imagesReady]);
  await removeSurplusNodes(context, kubectl, nodesBefore);
  await progress.step("controllers", () => startControllers(context, kubectl));
  await progress.step(`nodes (${String(context.nodes.length)}) and cluster DNS`, async () => {
    const started = await Promise.all(context.nodes.map((node) => startNode(context, node)));
    await nodesReady(context, kubectl, started);
    await dnsReady(context);
  });
}

async function removeSurplusNodes(context: ClusterContext, kubectl: Kubectl, before: number): Promise<void> {
  for (let index = context.nodes.length + 1; index <= before; index++) {
    const { name } = nodeMachine(index);
    await context.machines.destroy(name);
    fs.rmSync(context.files.machine(nodeMachine(index)), { recursive: true, force: true });
    // Nobody else would confirm their end for a minute, and what they did would be missing so long.
    const itsPods = ["--all-namespaces", `--field-selector=spec.nodeName=${name}`];
    await kubectl.run(["delete", "pods", ...itsPods, "--force", "--grace-period=0"]);
    await kubectl.run(["delete", "node", name, "--ignore-not-found"]);
  }
}

/** Puts the Docker engine's socket beside the kubeconfig: the stack's configuration names both by paths below the checkout. */
function linkDockerSocket(link: string, socket: string): void {
  fs.rmSync(link, { force: true });
  fs.symlinkSync(socket, link);
}
