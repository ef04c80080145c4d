import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { ClusterStatus } from "../../../dev/cluster";
import { kill } from "../../../dev/cluster/cgroups";
import { rootCgroup } from "../../../dev/cluster/layout";
import { checkoutDir, kubeconfigPath, stateDir } from "../../../dev/paths";
import { busybox, command, eventually, fortio, idle, kubectlProgram, outcome, pod, type Outcome } from "./support";

const main = path.join(checkoutDir, "dev", "cluster", "main.ts");

/** A cluster of its own, beside the one that the other tests use: its state is elsewhere. */
describe("the life of an embedded cluster", function () {
  this.timeout(300_000);
  // Not below a directory of the home, which may be deep: sockets have short paths.
  const state = fs.mkdtempSync(path.join(os.tmpdir(), "lucid-life-"));
  const kubeconfig = path.join(state, "test.kubeconfig");
  const env = { ...process.env, LUCID_MESH_STATE: state };
  const ours = fs.existsSync(kubeconfigPath) ? fs.readFileSync(kubeconfigPath, "utf8") : undefined;

  const cluster = (...args: readonly string[]): Promise<Outcome> =>
    outcome(process.execPath, ["--import", "tsx", main, ...args], "", env);
  const up = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await cluster("up", "--kubeconfig", kubeconfig, ...args);
    assert.equal(code, 0, stderr);
  };
  const status = async (): Promise<ClusterStatus> =>
    JSON.parse((await cluster("status", "--json")).stdout) as ClusterStatus;
  const kubectl = (args: readonly string[], input = ""): Promise<string> =>
    command(
      kubectlProgram,
      ["--kubeconfig", kubeconfig, "--cache-dir", path.join(state, "kubectl-cache"), ...args],
      input,
    );
  const connects = async (from: string, address: string): Promise<boolean> => {
    const args = ["--kubeconfig", kubeconfig, "exec", from, "--", "nc", "-w", "2", address, "8080", "-e", "true"];
    return (await outcome(kubectlProgram, args)).code === 0;
  };

  /** Processes that are the cluster's by their environment or their cgroup. */
  const processes = (): number[] =>
    fs
      .readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && (marked(pid, state) || inCgroup(pid, cgroup())));
  const cgroup = (): string => rootCgroup(state, stateDir({}));

  after(async () => {
    await cluster("down");
    fs.rmSync(state, { recursive: true, force: true });
  });

  /** Waits for the cluster to be healthy; where it isn't in time, says what is wrong with it. */
  async function healthy(): Promise<void> {
    try {
      await eventually("the cluster to be healthy", async () => (await status()).state === "healthy", 180);
    } catch (error) {
      throw new Error((await cluster("status")).stdout, { cause: error });
    }
  }

  it("comes up with two nodes", async () => {
    await up("--nodes", "2");
    const { state: health, nodes } = await status();
    assert.equal(health, "healthy");
    assert.deepEqual(
      nodes.map(({ name, ready }) => [name, ready]),
      [
        ["node1", true],
        ["node2", true],
      ],
    );
    assert.equal(fs.statSync(kubeconfig).mode & 0o777, 0o600);
  });

  it("has pods reach each other across nodes, where no NetworkPolicy forbids it", async () => {
    const server = ["server", "-http-port", "8080", "-redirect-port", "disabled"];
    const objects = [
      pod("default", "server", fortio, server, { node: "node1" }),
      pod("default", "friend", busybox, idle, { node: "node2" }),
      pod("default", "stranger", busybox, idle, { node: "node2" }),
    ];
    await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    await kubectl(["wait", "--for=condition=Ready", "--timeout=180s", "pod/server", "pod/friend", "pod/stranger"]);
    const address = await kubectl(["get", "pod", "server", "-o", "jsonpath={.status.podIP}"]);
    assert.match(address, /^10\.244\.1\./);
    assert.ok(await connects("stranger", address));
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { namespace: "default", name: "friend-only" },
      spec: {
        podSelector: { matchLabels: { app: "server" } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: "friend" } } }] }],
      },
    };
    await kubectl(["apply", "-f", "-"], JSON.stringify(policy));
    await eventually("the policy to be enforced", async () => !(await connects("stranger", address)));
    assert.ok(await connects("friend", address));
  });

  it("is one cluster when brought up twice", async () => {
    const pids = async (): Promise<unknown> => (await status()).components.map(({ name, pid }) => [name, pid]);
    const before = await pids();
    await up();
    assert.deepEqual(await pids(), before);
  });

  it("is repaired by up after a crash, and keeps what it held", async () => {
    const victims = ["kube-apiserver", "etcd", "containerd", "kubelet", "kube-router", "dockerd", "apiserver-port"];
    for (const { name, pid } of (await status()).components) {
      if (victims.includes(name) && pid !== undefined) {
        kill(pid);
      }
    }
    const broken = await cluster("status", "--json");
    assert.equal(broken.code, 1);
    assert.match(broken.stdout, /kube-apiserver on node1 doesn't run/);
    await up();
    await healthy();
    assert.match(await kubectl(["get", "networkpolicies"]), /friend-only/);
  });

  it("comes back after everything ended at once, as when the machine restarts", async () => {
    for (const pid of processes()) {
      kill(pid); // it may have ended with one before it
    }
    await eventually("everything to be gone", () => Promise.resolve(processes().length === 0), 10);
    await up();
    await healthy();
    assert.match(await kubectl(["get", "networkpolicies"]), /friend-only/);
    const address = await kubectl(["get", "pod", "server", "-o", "jsonpath={.status.podIP}"]);
    assert.ok(await connects("friend", address));
    assert.equal(await connects("stranger", address), false);
  });

  it("rebuilds a machine whose namespaces were lost", async () => {
    const anchors = fs
      .readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && inCgroup(Number(name), `${cgroup()}/switch`))
      .map(Number);
    assert.equal(anchors.length, 1);
    anchors.forEach((pid) => kill(pid));
    await up();
    const address = await kubectl(["get", "pod", "server", "-o", "jsonpath={.status.podIP}"]);
    await eventually("the nodes to be joined again", () => connects("friend", address));
  });

  it("gives surplus nodes up", async () => {
    // The cluster's DNS has to move.
    const patch = { spec: { template: { spec: { nodeSelector: { "kubernetes.io/hostname": "node2" } } } } };
    await kubectl(["-n", "kube-system", "patch", "deployment", "coredns", "-p", JSON.stringify(patch)]);
    await kubectl(["-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=180s"]);
    await up("--nodes", "1");
    assert.equal((await kubectl(["get", "nodes", "-o", "name"])).trim(), "node/node1");
  });

  it("leaves nothing behind when taken down, also in the middle of coming up", async () => {
    await cluster("down");
    await assertNothingLeft();
    const starting = spawn(process.execPath, ["--import", "tsx", main, "up", "--kubeconfig", kubeconfig], {
      env,
      stdio: "ignore",
    });
    await eventually("the API server to start", () => Promise.resolve(processes().length > 8));
    starting.kill("SIGKILL");
    await delay(100);
    await cluster("down");
    await assertNothingLeft();
    assert.equal((await cluster("status")).stdout.includes("not up"), true);
    if (ours !== undefined) {
      assert.equal(fs.readFileSync(kubeconfigPath, "utf8"), ours, "another cluster's kubeconfig was touched");
    }
  });

  async function assertNothingLeft(): Promise<void> {
    // The machine's init may take a moment to bury the dead.
    await eventually("the last process to be gone", () => Promise.resolve(processes().length === 0), 10);
    assert.equal(fs.existsSync(state), false);
    assert.doesNotMatch(fs.readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(state));
    const left = (await command("/usr/bin/find", ["/sys/fs/cgroup", "-maxdepth", "2", "-name", cgroup()])).trim();
    assert.equal(left, "");
  }
});

function marked(pid: number, state: string): boolean {
  return readProc(pid, "environ").split("\0").includes(`LUCID_MESH_STATE=${state}`);
}

function inCgroup(pid: number, name: string): boolean {
  return readProc(pid, "cgroup").includes(`:/${name}/`);
}

function readProc(pid: number, name: string): string {
  try {
    return fs.readFileSync(`/proc/${String(pid)}/${name}`, "utf8");
  } catch {
    return "";
  }
}
