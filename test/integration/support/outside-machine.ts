/** A machine that pods reach and that is none of the cluster's: the one that builds images, with servers of the tests' own on it. */
import { buildSync } from "esbuild";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { clusterTools } from "../../../dev/cluster/context";
import { builder, network } from "../../../dev/cluster/layout";
import type { Commands } from "../envoy/agent";

/** Where it is. */
export const OUTSIDE_ADDRESS = network.builderAddress;

/** Serves there what the tests ask for. It needs the embedded cluster, on this machine. */
export class OutsideMachine {
  private constructor(
    private readonly agent: ChildProcess,
    private readonly folder: string,
  ) {}

  private next = 0;

  static async start(): Promise<OutsideMachine> {
    const anchor = clusterTools().machines.anchor(builder);
    if (anchor === undefined) throw new Error(`${builder.name} is not up: this test needs the embedded cluster`);
    const folder = mkdtempSync(path.join(tmpdir(), "lucid-outside-"));
    const program = path.join(folder, "agent.cjs");
    const entry = path.join(__dirname, "..", "envoy", "agent.ts");
    buildSync({ entryPoints: [entry], bundle: true, platform: "node", outfile: program });
    const agent = spawn("nsenter", [`--net=/proc/${String(anchor)}/ns/net`, process.execPath, program], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const machine = new OutsideMachine(agent, folder);
    await machine.call("alive");
    return machine;
  }

  /** Has the agent do something there. */
  call<Name extends keyof Commands>(name: Name, ...[args]: Parameters<Commands[Name]>): ReturnType<Commands[Name]> {
    const id = this.next++;
    const { agent } = this;
    const answer = new Promise((resolve, reject) => {
      const listen = (message: { readonly id: number; readonly value?: unknown; readonly error?: string }): void => {
        if (message.id !== id) return;
        agent.off("message", listen);
        if (message.error === undefined) resolve(message.value);
        else reject(new Error(`${builder.name}: ${message.error}`));
      };
      agent.on("message", listen);
      agent.once("exit", () => {
        reject(new Error(`${builder.name}: its agent ended`));
      });
      agent.send({ id, name, args: args ?? {} });
    });
    return answer as ReturnType<Commands[Name]>;
  }

  /** Ends the agent, and with it all that it serves. */
  stop(): void {
    if (this.agent.connected) this.agent.disconnect();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
