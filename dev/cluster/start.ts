import * as fs from "node:fs";
import * as path from "node:path";

import { until } from "./commands";
import { apiServer, controllerManager, etcd, scheduler, volumeProvisioner } from "./components/control-plane";
import { kubernetesAuthority } from "./components/credentials";
import { dockerAnswers, dockerEngine, forwarders, registry } from "./components/images";
import { containerd, kubelet, kubeProxy, kubeRouter } from "./components/node";
import type { ClusterContext } from "./context";
import type { Daemon } from "./daemons";
import { images } from "./images/catalogue";
import { pauseProgram } from "./images/pause";
import { publish } from "./images/publish";
import { RegistryClient } from "./images/registry-client";
import type { ProgramPath } from "./images/rootfs";
import { Kubectl } from "./kubectl";
import { kubeconfig, writePrivate } from "./kubeconfig";
import { builder, network, networkOf, switchMachine, type NodeMachine } from "./layout";
import type { StartedNode } from "./ready";
import type { ClusterRecord } from "./record";

/** Version of Kubernetes whose source gives the `pause` program; the toolchain's pinned module. */
const kubernetesVersion = "1.34.2";

/** Makes the machines that are missing and joins them. Returns true when any was made. */
export async function startMachines(context: ClusterContext): Promise<boolean> {
  const { cgroups, machines, nodes } = context;
  // Beside a build with many processes the cluster would otherwise count as one of them.
  cgroups.setCpuShares(8192);
  for (const node of nodes) {
    cgroups.setCpuShares(8192, node.name);
    cgroups.setCpuShares(4096, node.name, "pods");
  }
  const joined = [builder, ...nodes];
  const made = await Promise.all([switchMachine, ...joined].map((machine) => machines.ensure(machine)));
  await machines.connect(joined, nodes);
  return made.includes(true);
}

/** Starts the registry and the Docker engine. */
export async function startImages(context: ClusterContext): Promise<RegistryClient> {
  const { daemons, files } = context;
  await daemons.ensure(await registry(context));
  const socket = forwarders(context).find((daemon) => daemon.name === "registry-socket");
  if (socket !== undefined) {
    await daemons.ensure(socket);
  }
  const authority = await context.pki.authority("registry");
  const client = new RegistryClient(files.registrySocket, authority.certificate);
  const hint = `see ${files.log(builder, "registry")}`;
  await until({ what: "the registry to answer", seconds: 30, hint }, () => client.ping());
  const engine = { what: "the Docker engine to answer", seconds: 60, hint: `see ${files.log(builder, "dockerd")}` };
  await until(engine, async () => {
    // Each time anew: one that was killed a moment ago may have looked alive.
    await daemons.ensure(await dockerEngine(context));
    return dockerAnswers(files.dockerSocket);
  });
  return client;
}

/** Brings every image into the registry; those that are there as they should be cost a question. */
export async function publishImages(
  context: ClusterContext,
  client: RegistryClient,
  note: (text: string) => void,
): Promise<void> {
  const pause = await pauseProgram(context.imagesDir, kubernetesVersion);
  const programPath: ProgramPath = (name) => {
    if (name === "pause") {
      return pause;
    }
    return name === "node" ? process.execPath : context.programs[name];
  };
  for (const image of images) {
    note(`${image.repository}:${image.tag}`);
    await publish(image, programPath, client, context.imagesDir);
  }
}

/** Starts etcd and the API server, waits for it, and writes the kubeconfig. */
export async function startApi(context: ClusterContext): Promise<Kubectl> {
  const { daemons, files, pki } = context;
  await daemons.ensure(await etcd(context));
  await daemons.ensure(await apiServer(context));
  for (const daemon of forwarders(context)) {
    if (daemon.name !== "registry-socket") {
      await daemons.ensure(daemon);
    }
  }
  const authority = await pki.authority(kubernetesAuthority);
  const admin = await pki.leaf(kubernetesAuthority, "admin", {
    commonName: "lucid-mesh-admin",
    organization: "system:masters",
    usages: ["client"],
  });
  const server = `https://127.0.0.1:${String(context.apiPort)}`;
  writePrivate(files.kubeconfig, kubeconfig(server, authority.certificate, admin));
  const kubectl = new Kubectl(context.programs.kubectl, files.kubeconfig);
  const logs = path.dirname(files.log(context.nodes[0] ?? builder, "kube-apiserver"));
  await until(
    { what: "the API server to be ready", seconds: 120, intervalMilliseconds: 300, hint: `see ${logs}` },
    async () => (await kubectl.run(["get", "--raw", "/readyz"])) === "ok",
  );
  return kubectl;
}

/** Starts what works through the API server, and tells it of the nodes and the cluster's own objects. */
export async function startControllers(context: ClusterContext, kubectl: Kubectl): Promise<void> {
  const { daemons } = context;
  const nodes = context.nodes.map((node) => JSON.stringify(nodeObject(node)));
  // Nodes exist before their kubelets register, so that each has the pod network of its number.
  await kubectl.apply([...nodes, manifest("system"), manifest("dns")].join("\n---\n"));
  for (const node of context.nodes) {
    await kubectl.run([
      "patch",
      "node",
      node.name,
      "--subresource=status",
      "--patch",
      JSON.stringify(nodeStatus(node)),
    ]);
  }
  await daemons.ensure(await controllerManager(context));
  await daemons.ensure(await scheduler(context));
  await daemons.ensure(await volumeProvisioner(context));
}

/** Starts the node's container runtime, which needs no API server. */
export async function startRuntime(context: ClusterContext, node: NodeMachine): Promise<void> {
  await context.daemons.ensure(await containerd(context, node));
}

/** Starts the rest of a node. */
export async function startNode(context: ClusterContext, node: NodeMachine): Promise<StartedNode> {
  const { daemons } = context;
  // The firewall first: a pod should not start before there is somebody to enforce its policies.
  await daemons.ensure(await kubeRouter(context, node));
  await daemons.ensure(await kubeProxy(context, node));
  const description = await kubelet(context, node);
  const before = daemons.pid(description);
  const now = Date.now();
  const pid = await daemons.ensure(description);
  return { node, since: pid === before ? undefined : now };
}

/** Every daemon of the cluster, for the record. */
export async function allDaemons(context: ClusterContext): Promise<ClusterRecord["daemons"]> {
  const perNode = context.nodes.flatMap((node) => [
    containerd(context, node),
    kubelet(context, node),
    kubeProxy(context, node),
    kubeRouter(context, node),
  ]);
  const controlPlane = [etcd, apiServer, controllerManager, scheduler, volumeProvisioner, registry, dockerEngine].map(
    (describe) => describe(context),
  );
  const daemons: Daemon[] = [...(await Promise.all([...controlPlane, ...perNode])), ...forwarders(context)];
  return daemons.map(({ machine, name, program }) => ({ machine: machine.name, name, program }));
}

function nodeObject(node: NodeMachine): object {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: node.name,
      labels: { "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" },
    },
    spec: { podCIDR: node.podCidr, podCIDRs: [node.podCidr] },
  };
}

/** The address, which the kubelet will report too: kube-router wants it, and starts before. */
function nodeStatus(node: NodeMachine): object {
  return { status: { addresses: [{ type: "InternalIP", address: node.address }] } };
}

function manifest(name: string): string {
  const text = fs.readFileSync(path.join(__dirname, "manifests", `${name}.yaml`), "utf8");
  // Written for the usual cluster.
  return text.replaceAll(networkOf(undefined).clusterDns, network.clusterDns);
}
