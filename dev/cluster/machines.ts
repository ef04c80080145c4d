import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

import type { Cgroups } from "./cgroups";
import { run, until } from "./commands";
import { launch, marker, programName } from "./daemons";
import { Refusal } from "../toolchain";
import {
  builder,
  network,
  nodeMachine,
  registryHost,
  switchMachine,
  type Machine,
  type NodeMachine,
  type StateFiles,
} from "./layout";

const anchorComponent = "anchor";
const anchorProgram = "sleep";

/**
 * The machines: each is an anchor process that holds a network, a mount and a host-name namespace. Nothing is pinned to a
 * file, so when the last process of a machine ends, its interfaces, firewall rules and mounts are gone with it.
 */
export class Machines {
  constructor(
    private readonly cgroups: Cgroups,
    private readonly files: StateFiles,
  ) {}

  /** The process whose namespaces are the machine's; undefined when it isn't up. */
  anchor(machine: Machine): number | undefined {
    return this.cgroups
      .processes([machine.name, anchorComponent], false)
      .find((pid) => programName(pid) === anchorProgram);
  }

  /** Makes the machine unless it is up; what is left of a broken one is killed first. Returns true when it was made. */
  async ensure(machine: Machine): Promise<boolean> {
    if (this.anchor(machine) !== undefined) {
      return false;
    }
    await this.cgroups.destroy(machine.name);
    this.writeFiles(machine);
    const groups = this.cgroups.ensure(machine.name, anchorComponent);
    const directory = this.files.machine(machine);
    const log = this.files.log(machine, anchorComponent);
    fs.mkdirSync(path.dirname(log), { recursive: true });
    const output = fs.openSync(log, "w", 0o640);
    try {
      const unshare = ["/usr/bin/unshare", "--net", "--uts", "--mount", "--propagation", "private", "--"];
      const child = spawn(
        "/bin/sh",
        ["-c", launch, "sh", ...groups, "--", ...unshare, "/bin/sh", "-ec", furnish, "sh", machine.name, directory],
        {
          cwd: "/",
          detached: true,
          stdio: ["ignore", output, output],
          env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", [marker.process]: "1", [marker.state]: this.files.root },
        },
      );
      let failed = false;
      child.on("exit", () => (failed = true));
      child.unref();
      await until(
        { what: `the namespaces of ${machine.name}`, seconds: 10, intervalMilliseconds: 20, hint: `the log is ${log}` },
        () => {
          if (failed) {
            throw new Refusal(fs.readFileSync(log, "utf8").trim());
          }
          return Promise.resolve(this.anchor(machine) !== undefined);
        },
      );
    } finally {
      fs.closeSync(output);
    }
    return true;
  }

  /** Joins the machines to the bridge and routes the pods of each node there. May be called again. */
  async connect(machines: readonly Machine[], nodes: readonly NodeMachine[]): Promise<void> {
    await this.shell(
      switchMachine,
      `ip link show br0 >/dev/null 2>&1 || ip link add br0 type bridge
       ip addr replace ${network.switchAddress}/24 dev br0; ip link set br0 up
       sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=0
       # Whatever leaves the cluster ends here, and is told so at once.
       ip route replace unreachable default`,
    );
    for (const machine of machines) {
      const anchor = this.pid(machine);
      await this.shell(
        switchMachine,
        `ip link show ${machine.name} >/dev/null 2>&1 ||
           ip link add ${machine.name} type veth peer name eth0 netns ${String(anchor)}
         ip link set ${machine.name} master br0 up`,
      );
      const routes = nodes
        .filter((node) => node.name !== machine.name)
        .map((node) => `ip route replace ${node.podCidr} via ${node.address}`);
      await this.shell(
        machine,
        [
          `ip addr replace ${machine.address ?? ""}/24 dev eth0; ip link set eth0 up`,
          // The service network has no interface: packets to it need some route before they are rewritten.
          `ip route replace default via ${network.switchAddress}`,
          "sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1",
          ...routes,
        ].join("\n"),
      );
    }
  }

  /** Ends a machine and everything on it. */
  async destroy(name: string): Promise<void> {
    await this.cgroups.destroy(name);
  }

  /** Runs a script in the machine's namespaces. */
  async shell(machine: Machine, script: string): Promise<string> {
    const namespaces = `/proc/${String(this.pid(machine))}/ns`;
    return run("/usr/bin/nsenter", [`--net=${namespaces}/net`, `--mount=${namespaces}/mnt`, "/bin/sh", "-ec", script], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    });
  }

  private pid(machine: Machine): number {
    const anchor = this.anchor(machine);
    if (anchor === undefined) {
      throw new Refusal(`${machine.name} is not up; run 'npm run cluster -- up'`);
    }
    return anchor;
  }

  private writeFiles(machine: Machine): void {
    for (const name of ["lib", "log", "sysctl", "etc"]) {
      fs.mkdirSync(this.files.machine(machine, name), { recursive: true });
    }
    const write = (name: string, text: string): void => {
      fs.writeFileSync(this.files.machine(machine, name), text);
    };
    write("etc/hosts", hostsFile(machine));
    // No resolver: what isn't in the hosts file doesn't exist, and is known at once not to.
    write("etc/resolv.conf", "");
    for (const [name, value] of Object.entries(kubeletSysctls)) {
      write(`sysctl/${name.replaceAll("/", ".")}`, `${value}\n`);
    }
  }
}

/** Kernel settings that a kubelet puts right for the whole machine unless it finds them so; it is shown these. */
export const kubeletSysctls: Readonly<Record<string, string>> = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};

/** `/etc/hosts` of a machine. */
export function hostsFile(machine: Machine): string {
  return [
    "127.0.0.1 localhost",
    `${machine.address ?? ""} ${machine.name}`,
    `${network.builderAddress} ${registryHost}`,
    ...(machine.name === builder.name ? [] : [`${nodeMachine(1).address} control-plane`]),
    "",
  ].join("\n");
}

// What a machine sees of the file system is the host's, but for the directories in which services keep their state. The
// mounts are shared among the machine's own processes (volumes of pods reach the containers) and with nobody else.
const furnish = `
name=$1; directory=$2
hostname "$name"
mount --make-rshared /
for file in hosts resolv.conf; do mount --bind "$directory/etc/$file" "$(readlink -f /etc/$file)"; done
mount --bind "$directory/lib" /var/lib
mount --bind "$directory/log" /var/log
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run
mkdir -p /run/lock /run/netns
for file in "$directory"/sysctl/*; do
  mount --bind "$file" "/proc/sys/$(basename "$file" | tr . /)"
done
ip link set lo up
exec ${anchorProgram} infinity`;
