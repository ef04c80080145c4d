/** A Kubernetes API of the test's own: etcd and kube-apiserver on loopback, no node, gone with the test. */
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { flags } from "../../../dev/cluster/components/control-plane";
import { kubeconfig } from "../../../dev/cluster/kubeconfig";
import { Pki } from "../../../dev/cluster/pki";
import { ensureToolchain } from "../../../dev/toolchain";
import { eventually } from "../support/eventually";

const AUTHORITY = "kubernetes";
const START_SECONDS = 120;

export interface ControlPlane {
  /** Of the cluster's administrator (`system:masters`). */
  readonly config: KubeConfig;
  stop(): Promise<void>;
}

/** Starts it, and waits until it answers. */
export async function startControlPlane(): Promise<ControlPlane> {
  const { programs } = await ensureToolchain({ only: ["kubernetes", "debian"] });
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-admission-"));
  const pki = new Pki(path.join(folder, "pki"));
  const [etcdPort, peerPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const started: ChildProcess[] = [];
  const run = (name: string, program: string, values: Readonly<Record<string, string>>) => {
    const log = openSync(path.join(folder, `${name}.log`), "w");
    started.push(spawn(program, flags(values), { stdio: ["ignore", log, log] }));
  };
  const stop = async () => {
    for (const child of started.reverse()) await end(child);
    rmSync(folder, { recursive: true });
  };

  const data = path.join(folder, "etcd");
  mkdirSync(data, { mode: 0o700 });
  run("etcd", programs.etcd, {
    name: "test",
    "data-dir": data,
    "listen-client-urls": etcdUrl,
    "advertise-client-urls": etcdUrl,
    "listen-peer-urls": peerUrl,
    "initial-advertise-peer-urls": peerUrl,
    "initial-cluster": `test=${peerUrl}`,
    // It is thrown away with the test.
    "unsafe-no-fsync": "true",
  });
  const authority = await pki.authority(AUTHORITY);
  const server = await pki.leaf(AUTHORITY, "apiserver", {
    commonName: "kube-apiserver",
    addresses: ["127.0.0.1"],
    usages: ["server"],
  });
  const admin = await pki.leaf(AUTHORITY, "admin", {
    commonName: "test-admin",
    organization: "system:masters",
    usages: ["client"],
  });
  const tokens = await pki.tokenKey();
  run("kube-apiserver", programs["kube-apiserver"], {
    "etcd-servers": etcdUrl,
    "bind-address": "127.0.0.1",
    // Nobody is told of it.
    "advertise-address": "10.77.0.10",
    "endpoint-reconciler-type": "none",
    "secure-port": String(apiPort),
    "authorization-mode": "RBAC",
    "client-ca-file": authority.certificate,
    "tls-cert-file": server.certificate,
    "tls-private-key-file": server.key,
    "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
    "service-account-key-file": tokens.certificate,
    "service-account-signing-key-file": tokens.key,
    "service-cluster-ip-range": "10.96.0.0/12",
  });
  const text = kubeconfig(`https://127.0.0.1:${apiPort}`, authority.certificate, admin);
  const config = new KubeConfig();
  config.loadFromString(text);
  try {
    await eventually("the API server's readiness", () => assertReady(config, folder), START_SECONDS);
  } catch (error) {
    console.error(readFileSync(path.join(folder, "kube-apiserver.log"), "utf8").slice(-4000));
    await stop();
    throw error;
  }
  return { config, stop };
}

async function assertReady(config: KubeConfig, folder: string): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const { items } = await core.listNamespace();
  if (!items.some(({ metadata }) => metadata?.name === "kube-system")) throw new Error(`not ready yet (${folder})`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
