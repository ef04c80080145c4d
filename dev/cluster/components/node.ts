import * as path from "node:path";

import { cniPluginsDir } from "../../toolchain";
import type { ClusterContext } from "../context";
import type { Daemon } from "../daemons";
import { mirroredRegistries, network, registryHost, type NodeMachine } from "../layout";
import { kubeletRequest } from "../pki";
import { flags } from "./control-plane";
import { credentialsFor, credentialsOf, kubernetesAuthority } from "./credentials";
import { writeFile } from "./write-file";

const containerdSocket = "/run/containerd/containerd.sock";
/** Pods of a node live in the cluster's cgroup, below `<node>/pods`. */
export const podsCgroup = "pods";

/** containerd, which asks the embedded registry for every image. */
export async function containerd(context: ClusterContext, node: NodeMachine): Promise<Daemon> {
  const directory = context.files.machine(node, "containerd");
  const certs = path.join(directory, "certs.d");
  const authority = await context.pki.authority("registry");
  for (const registry of mirroredRegistries) {
    // No other server is asked: an image that is missing is reported missing, at once.
    writeFile(path.join(certs, registry, "hosts.toml"), hostsToml(authority.certificate));
  }
  const cni = JSON.stringify(cniConfiguration(node), null, 2);
  const cniDirectory = path.join(directory, "net.d");
  writeFile(path.join(cniDirectory, "10-pods.conflist"), cni);
  const text = `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "registry.k8s.io/pause:3.10"
# Without CAP_SYS_RESOURCE no process may have a lower score than its parent: the sandbox would not start.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "${certs}"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${cniPluginsDir}"
conf_dir = "${cniDirectory}"
`;
  const file = path.join(directory, "config.toml");
  writeFile(file, text);
  return {
    name: "containerd",
    machine: node,
    program: context.programs.containerd,
    args: ["--config", file],
    configuration: [text],
  };
}

function hostsToml(authority: string): string {
  const server = `https://${registryHost}`;
  return `server = "${server}"\nca = "${authority}"\n[host."${server}"]\ncapabilities = ["pull", "resolve"]\nca = "${authority}"\n`;
}

/** How pods are joined to their node: a bridge of the node's own, routed, nothing translated. */
export function cniConfiguration(node: NodeMachine): object {
  return {
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        // Policies see the pods' own addresses, across nodes too.
        ipMasq: false,
        hairpinMode: true,
        ipam: { type: "host-local", ranges: [[{ subnet: node.podCidr }]], routes: [{ dst: "0.0.0.0/0" }] },
      },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
      // Pods have IPv4 alone. Left on, link-local IPv6 over the bridge would go around every NetworkPolicy.
      { type: "tuning", sysctl: { "net.ipv6.conf.eth0.disable_ipv6": "1" } },
    ],
  };
}

/** The kubelet, with the defaults of Kubernetes but for what this machine and its namespaces force. */
export async function kubelet(context: ClusterContext, node: NodeMachine): Promise<Daemon> {
  const authority = await context.pki.authority(kubernetesAuthority);
  const pair = await context.pki.leaf(kubernetesAuthority, `kubelet-${node.name}`, kubeletRequest(node));
  const credentials = await credentialsOf(context, `kubelet-${node.name}`, pair);
  context.cgroups.ensure(node.name, podsCgroup);
  const configuration = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: authority.certificate },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: pair.certificate,
    tlsPrivateKeyFile: pair.key,
    clusterDNS: [network.clusterDns],
    clusterDomain: network.clusterDomain,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    // Forced by this machine: cgroups of version 1, no systemd, no right to lower its own OOM score.
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${context.cgroups.root}/${node.name}/${podsCgroup}`,
    oomScoreAdj: 0,
    // The disk is the machine's, not the node's: shares of it say nothing, and what others hold must not evict pods or images.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi" },
    imageGCHighThresholdPercent: 100,
    // The cluster resolves its own names only.
    resolvConf: "/dev/null",
  };
  const text = JSON.stringify(configuration, null, 2);
  const file = context.files.machine(node, "kubelet.json");
  writeFile(file, text);
  return {
    name: "kubelet",
    machine: node,
    program: context.programs.kubelet,
    args: flags({
      config: file,
      kubeconfig: credentials.file,
      "hostname-override": node.name,
      "node-ip": node.address,
    }),
    configuration: [text, credentials.text],
  };
}

/** kube-proxy: services by nftables. */
export async function kubeProxy(context: ClusterContext, node: NodeMachine): Promise<Daemon> {
  const credentials = await credentialsFor(context, "kube-proxy", { commonName: "system:kube-proxy" });
  const configuration = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    clientConnection: { kubeconfig: credentials.file },
    clusterCIDR: network.pods,
    hostnameOverride: node.name,
    // These limits belong to the whole machine and can't be set from a namespace.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    oomScoreAdj: 0,
  };
  const text = JSON.stringify(configuration, null, 2);
  const file = context.files.machine(node, "kube-proxy.json");
  writeFile(file, text);
  return {
    name: "kube-proxy",
    machine: node,
    program: context.programs["kube-proxy"],
    args: flags({ config: file }),
    configuration: [text, credentials.text],
  };
}

/** kube-router with its firewall only: it enforces the NetworkPolicies. */
export async function kubeRouter(context: ClusterContext, node: NodeMachine): Promise<Daemon> {
  const credentials = await credentialsFor(context, "kube-router", { commonName: "lucid-mesh:kube-router" });
  return {
    name: "kube-router",
    machine: node,
    program: context.programs["kube-router"],
    args: flags({
      "run-firewall": "true",
      "run-router": "false",
      "run-service-proxy": "false",
      "run-loadbalancer": "false",
      kubeconfig: credentials.file,
      "hostname-override": node.name,
      "service-cluster-ip-range": network.services,
    }),
    configuration: [credentials.text],
  };
}
