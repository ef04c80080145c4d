/** A replica of the bundled controller, as a process of its own. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";
import { checkoutDir } from "../../../dev/paths";
import { freePorts } from "../../../services/controller/test/support/consul";
import { eventually } from "../support/eventually";

const PROGRAM = path.join(checkoutDir, "services/controller/dist/main.cjs");

/** What of `GET /status` is looked at. */
export interface ReplicaStatus {
  readonly healthy: boolean;
  readonly reasons: readonly string[];
  readonly identity: string;
  readonly leading: boolean;
  readonly leader: string | null;
}

export class Replica {
  output = "";

  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (chunk: string) => (this.output += chunk));
  }

  static async start(env: Readonly<Record<string, string>>): Promise<Replica> {
    const [port = 0] = await freePorts(1);
    const settings = { ...env, SERVICE_MESH_CONTROLLER_PORT: String(port) };
    return new Replica(spawn(process.execPath, [PROGRAM], { env: settings, stdio: ["ignore", "pipe", "pipe"] }), port);
  }

  async get(place: string): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(5_000);
    const response = await fetch(`http://127.0.0.1:${this.port}${place}`, { signal });
    return { status: response.status, text: await response.text() };
  }

  async status(): Promise<ReplicaStatus> {
    return JSON.parse((await this.get("/status")).text) as ReplicaStatus;
  }

  /** Waits until it is ready, in the part that it has. */
  ready(part: "leading" | "following", seconds = 40): Promise<void> {
    return eventually(
      `a ${part} replica`,
      async () => {
        assert.equal(this.child.exitCode, null, this.output);
        const { healthy, reasons, leading } = await this.status();
        assert.deepEqual({ healthy, reasons, leading }, { healthy: true, reasons: [], leading: part === "leading" });
      },
      seconds,
    );
  }

  /** Sum of a counter's series whose labels hold all of these. */
  async counted(metric: string, ...labels: readonly string[]): Promise<number> {
    const { text } = await this.get("/metrics");
    return text
      .split("\n")
      .filter((line) => line.startsWith(`${metric}{`) && labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  freeze(): void {
    this.child.kill("SIGSTOP");
  }

  thaw(): void {
    this.child.kill("SIGCONT");
  }

  /** Ends it: by SIGTERM as kubelet does, or without a word. */
  async end(how: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number | null> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill(how);
      // What is stopped hears of SIGTERM only when it goes on.
      child.kill("SIGCONT");
      await ended;
    }
    return child.exitCode;
  }
}
