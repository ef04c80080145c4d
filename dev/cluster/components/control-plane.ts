import * as fs from "node:fs";

import type { ClusterContext } from "../context";
import type { Daemon } from "../daemons";
import { network, nodeMachine } from "../layout";
import { apiServerNames } from "../pki";
import { credentialsFor, kubernetesAuthority } from "./credentials";

const machine = nodeMachine(1);
const etcdUrl = "https://127.0.0.1:2379";

/** etcd, on the control plane's loopback, with an authority of its own. */
export async function etcd(context: ClusterContext): Promise<Daemon> {
  const authority = await context.pki.authority("etcd");
  const server = await context.pki.leaf("etcd", "etcd-server", {
    commonName: "etcd",
    dns: ["localhost"],
    addresses: ["127.0.0.1"],
    usages: ["server", "client"],
  });
  const data = context.files.machine(machine, "etcd");
  fs.mkdirSync(data, { recursive: true, mode: 0o700 });
  return {
    name: "etcd",
    machine,
    program: context.programs.etcd,
    args: flags({
      name: machine.name,
      "data-dir": data,
      "listen-client-urls": etcdUrl,
      "advertise-client-urls": etcdUrl,
      "listen-peer-urls": "http://127.0.0.1:2380",
      "initial-advertise-peer-urls": "http://127.0.0.1:2380",
      "initial-cluster": `${machine.name}=http://127.0.0.1:2380`,
      "cert-file": server.certificate,
      "key-file": server.key,
      "trusted-ca-file": authority.certificate,
      "client-cert-auth": "true",
      logger: "zap",
      // Revisions that nothing reads any more; the API server asks for more room otherwise after days.
      "auto-compaction-mode": "periodic",
      "auto-compaction-retention": "1h",
    }),
  };
}

/** The API server: RBAC, node authorization and restriction, pod security, admission policies (on by default). */
export async function apiServer(context: ClusterContext): Promise<Daemon> {
  const { pki } = context;
  const authority = await pki.authority(kubernetesAuthority);
  const etcdAuthority = await pki.authority("etcd");
  const etcdClient = await pki.leaf("etcd", "apiserver-etcd", { commonName: "kube-apiserver", usages: ["client"] });
  const server = await pki.leaf(kubernetesAuthority, "apiserver", {
    commonName: "kube-apiserver",
    ...apiServerNames,
    usages: ["server"],
  });
  const kubeletClient = await pki.leaf(kubernetesAuthority, "apiserver-kubelet", {
    commonName: "kube-apiserver-kubelet-client",
    organization: "system:masters",
    usages: ["client"],
  });
  const frontProxyAuthority = await pki.authority("front-proxy");
  const frontProxy = await pki.leaf("front-proxy", "front-proxy", {
    commonName: "front-proxy-client",
    usages: ["client"],
  });
  const tokens = await pki.tokenKey();
  return {
    name: "kube-apiserver",
    machine,
    program: context.programs["kube-apiserver"],
    args: flags({
      "advertise-address": network.controlPlaneAddress,
      "secure-port": String(network.apiPort),
      "allow-privileged": "true",
      "authorization-mode": "Node,RBAC",
      "enable-admission-plugins": "NodeRestriction",
      "client-ca-file": authority.certificate,
      "tls-cert-file": server.certificate,
      "tls-private-key-file": server.key,
      "etcd-servers": etcdUrl,
      "etcd-cafile": etcdAuthority.certificate,
      "etcd-certfile": etcdClient.certificate,
      "etcd-keyfile": etcdClient.key,
      "kubelet-certificate-authority": authority.certificate,
      "kubelet-client-certificate": kubeletClient.certificate,
      "kubelet-client-key": kubeletClient.key,
      // Nothing here resolves the nodes' host names.
      "kubelet-preferred-address-types": "InternalIP",
      "requestheader-client-ca-file": frontProxyAuthority.certificate,
      "requestheader-allowed-names": "front-proxy-client",
      "requestheader-extra-headers-prefix": "X-Remote-Extra-",
      "requestheader-group-headers": "X-Remote-Group",
      "requestheader-username-headers": "X-Remote-User",
      "proxy-client-cert-file": frontProxy.certificate,
      "proxy-client-key-file": frontProxy.key,
      "service-account-issuer": `https://kubernetes.default.svc.${network.clusterDomain}`,
      "service-account-key-file": tokens.certificate,
      "service-account-signing-key-file": tokens.key,
      "service-cluster-ip-range": network.services,
    }),
    configuration: [fs.readFileSync(server.certificate, "utf8")],
  };
}

/** The controllers: each works as a service account of its own, with that account's rights. */
export async function controllerManager(context: ClusterContext): Promise<Daemon> {
  const { pki } = context;
  const authority = await pki.authority(kubernetesAuthority);
  const frontProxyAuthority = await pki.authority("front-proxy");
  const tokens = await pki.tokenKey();
  const credentials = await credentialsFor(context, "controller-manager", {
    commonName: "system:kube-controller-manager",
  });
  return {
    name: "kube-controller-manager",
    machine,
    program: context.programs["kube-controller-manager"],
    args: flags({
      "bind-address": "127.0.0.1",
      kubeconfig: credentials.file,
      "authentication-kubeconfig": credentials.file,
      "authorization-kubeconfig": credentials.file,
      "client-ca-file": authority.certificate,
      "requestheader-client-ca-file": frontProxyAuthority.certificate,
      "root-ca-file": authority.certificate,
      "cluster-signing-cert-file": authority.certificate,
      "cluster-signing-key-file": authority.key,
      "service-account-private-key-file": tokens.key,
      "use-service-account-credentials": "true",
      // Nodes are made with their pod network, so that node n has 10.244.n.0/24.
      "allocate-node-cidrs": "false",
      "cluster-cidr": network.pods,
      // There is one: an election would only cost time at the start.
      "leader-elect": "false",
    }),
    configuration: [credentials.text],
  };
}

/** The scheduler. */
export async function scheduler(context: ClusterContext): Promise<Daemon> {
  const credentials = await credentialsFor(context, "scheduler", { commonName: "system:kube-scheduler" });
  return {
    name: "kube-scheduler",
    machine,
    program: context.programs["kube-scheduler"],
    args: flags({
      "bind-address": "127.0.0.1",
      kubeconfig: credentials.file,
      "authentication-kubeconfig": credentials.file,
      "authorization-kubeconfig": credentials.file,
      "leader-elect": "false",
    }),
    configuration: [credentials.text],
  };
}

/** Makes the directories of PersistentVolumes; it sees those of all nodes, because they lie on one file system. */
export async function volumeProvisioner(context: ClusterContext): Promise<Daemon> {
  const credentials = await credentialsFor(context, "volume-provisioner", {
    commonName: "lucid-mesh:volume-provisioner",
  });
  fs.mkdirSync(context.files.volumes, { recursive: true, mode: 0o700 });
  return {
    name: "volume-provisioner",
    machine,
    program: context.programs["local-volume-provisioner"],
    args: flags({ root: context.files.volumes, kubeconfig: credentials.file }),
    configuration: [credentials.text],
  };
}

/** `--name=value` for each entry. */
export function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}
