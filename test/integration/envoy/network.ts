import { buildSync } from "esbuild";
import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Commands } from "./agent";

const PREFIX = "lmtest";

/**
 * Network namespaces of the test's own, joined by a bridge in one more: each plays a pod, with its own loopback and address. Nothing touches the
 * host's network.
 */
export class Network {
  private readonly hosts: Host[] = [];
  private readonly bridge: string;
  private readonly agentProgram: string;

  /** @param directory where the agents' program is built */
  constructor(directory: string) {
    if (process.getuid?.() !== 0) {
      throw new Error("these tests make network namespaces: run them as root");
    }
    removeLeftovers();
    // Bundled, an agent starts in a tenth of the time that loading it as TypeScript takes.
    this.agentProgram = path.join(directory, "agent.cjs");
    buildSync({
      entryPoints: [path.join(__dirname, "agent.ts")],
      bundle: true,
      platform: "node",
      outfile: this.agentProgram,
    });
    this.bridge = `${PREFIX}-${process.pid}-bridge`;
    ip("netns", "add", this.bridge);
    process.once("exit", this.removeNamespaces);
    ip("-n", this.bridge, "link", "add", "br0", "type", "bridge");
    ip("-n", this.bridge, "link", "set", "br0", "up");
  }

  /** Adds a namespace with an address and an agent in it. `directory` is mounted over the paths of a sidecar's volumes. */
  async host(name: string, directory: string): Promise<Host> {
    const index = this.hosts.length + 1;
    const namespace = `${PREFIX}-${process.pid}-${name}`;
    const address = `10.255.77.${index}`;
    ip("netns", "add", namespace);
    ip("-n", this.bridge, "link", "add", `v${index}`, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ip("-n", this.bridge, "link", "set", `v${index}`, "master", "br0", "up");
    ip("-n", namespace, "addr", "add", `${address}/24`, "dev", "eth0");
    ip("-n", namespace, "link", "set", "lo", "up");
    ip("-n", namespace, "link", "set", "eth0", "up");
    const host = new Host(namespace, address, directory, this.agentProgram);
    this.hosts.push(host);
    await host.start();
    return host;
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
    process.off("exit", this.removeNamespaces);
    this.removeNamespaces();
  }

  private readonly removeNamespaces = (): void => {
    for (const name of [...this.hosts.map((host) => host.namespace), this.bridge]) {
      removeNamespace(name);
    }
  };
}

/** One namespace: runs programs, and an agent that calls and serves there on the test's behalf. */
export class Host {
  private agent: ChildProcess | undefined;
  private readonly children: ChildProcess[] = [];
  private readonly pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private next = 0;

  constructor(
    readonly namespace: string,
    readonly address: string,
    readonly directory: string,
    private readonly agentProgram: string,
  ) {}

  /** Starts a program in this namespace, with the pod's volumes and resolver mounted, as uid `uid`. */
  spawn(argv: readonly string[], uid: number, options: SpawnOptions = {}): ChildProcess {
    const mounts = [
      ["etc/envoy", "/etc/envoy"],
      ["var/run/envoy", "/var/run/envoy"],
      ["resolv.conf", "/etc/resolv.conf"],
    ].map(([from, to]) => `mount --bind ${path.join(this.directory, from ?? "")} ${to ?? ""}`);
    // Whatever ends the test ends its programs too.
    const user = `setpriv --reuid ${uid} --regid ${uid} --clear-groups --no-new-privs --pdeathsig KILL`;
    const script = ["set -e", "mkdir -p /etc/envoy /var/run/envoy", ...mounts, `exec ${user} -- "$@"`].join("\n");
    const child = spawn(
      "nsenter",
      [`--net=/run/netns/${this.namespace}`, "unshare", "--mount", "sh", "-c", script, "sh", ...argv],
      { stdio: ["ignore", "inherit", "inherit"], ...options },
    );
    this.children.push(child);
    return child;
  }

  async start(): Promise<void> {
    execFileSync("nsenter", [
      `--net=/run/netns/${this.namespace}`,
      "sysctl",
      "-qw",
      "net.ipv4.ip_unprivileged_port_start=0",
    ]);
    const agent = this.spawn([process.execPath, this.agentProgram], 0, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.agent = agent;
    agent.on("message", (message: { id: number; value?: unknown; error?: string }) => {
      const waiting = this.pending.get(message.id);
      this.pending.delete(message.id);
      if (message.error === undefined) {
        waiting?.resolve(message.value);
      } else {
        waiting?.reject(new Error(`${this.namespace}: ${message.error}`));
      }
    });
    agent.once("exit", () => {
      this.pending.forEach(({ reject }) => {
        reject(new Error(`${this.namespace}: its agent ended`));
      });
      this.pending.clear();
    });
    await this.call("alive");
  }

  /** Has the agent do something in this namespace. */
  call<Name extends keyof Commands>(name: Name, ...[args]: Parameters<Commands[Name]>): ReturnType<Commands[Name]> {
    const id = this.next++;
    const answer = new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.agent?.send({ id, name, args: args ?? {} });
    });
    return answer as ReturnType<Commands[Name]>;
  }

  /** Ends everything that was started here. */
  async stop(): Promise<void> {
    await Promise.all(this.children.map(end));
  }
}

/** Ends one child: first kindly, then not. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 3000);
  await ended;
  clearTimeout(force);
}

/** Namespaces of a run that was killed: their names hold its process id. */
function removeLeftovers(): void {
  const names = fs.existsSync("/run/netns") ? fs.readdirSync("/run/netns") : [];
  for (const name of names) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !fs.existsSync(`/proc/${pid}`)) {
      removeNamespace(name);
    }
  }
}

function removeNamespace(name: string): void {
  try {
    ip("netns", "del", name);
  } catch {
    // Gone already.
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
