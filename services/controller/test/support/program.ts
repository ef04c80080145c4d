import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { freePorts, type TestConsul } from "./consul.js";
import { eventually } from "./eventually.js";
import type { FakeKubernetes } from "./fake-kubernetes.js";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

/** The bundled controller as a process of its own. */
export class Program {
  /** Parsed log lines. */
  readonly log: Record<string, unknown>[] = [];
  output = "";

  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {
    let rest = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.output += chunk;
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      this.log.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
    });
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (this.output += chunk));
  }

  /**
   * Starts it for zones ops and chain, with a comparison every second.
   *
   * @param chosen its port; default: a free one
   */
  static async start(
    kubernetes: FakeKubernetes,
    consul: TestConsul,
    env: Readonly<Record<string, string>> = {},
    chosen?: number,
  ): Promise<Program> {
    const kubeconfig = join(consul.folder, "kubeconfig");
    writeFileSync(kubeconfig, kubernetes.kubeconfigText());
    const [free = 0] = await freePorts(1);
    const port = chosen ?? free;
    const { address, caFile = "", serverName, tokensDirectory } = consul.config;
    return Program.spawn(port, {
      KUBECONFIG: kubeconfig,
      LUCID_NAMESPACES: "lucid-ops=ops,lucid-chain=chain",
      CONSUL_HTTP_ADDR: address.href,
      CONSUL_CACERT: caFile,
      CONSUL_TLS_SERVER_NAME: serverName,
      CONSUL_TOKENS_DIR: tokensDirectory,
      SERVICE_MESH_CONTROLLER_PORT: String(port),
      RECONCILE_INTERVAL: "1",
      ...env,
    });
  }

  /**
   * Starts the issuer of zone ops, with a look at every certificate every second.
   *
   * @param folder for its kubeconfig
   */
  static async startIssuer(
    kubernetes: FakeKubernetes,
    folder: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Program> {
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, kubernetes.kubeconfigText());
    const [port = 0] = await freePorts(1);
    const settings = {
      KUBECONFIG: kubeconfig,
      ISSUER_ZONE: "ops",
      ISSUER_PORT: String(port),
      ISSUER_INTERVAL: "1",
      BIND_ADDRESS: "127.0.0.1",
      ...env,
    };
    return Program.spawn(port, settings, "issuer.cjs");
  }

  /** @param bundle which of the image's programs. Default: the controller */
  static spawn(port: number, env: Readonly<Record<string, string>>, bundle = "main.cjs"): Program {
    const child = spawn(process.execPath, [`dist/${bundle}`], { cwd: PACKAGE, env, stdio: ["ignore", "pipe", "pipe"] });
    return new Program(child, port);
  }

  get(path: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      // A connection for each: the program may close one that was kept as it is used again.
      const sent = get({ host: "127.0.0.1", port: this.port, path, agent: false }, (response) => {
        text(response).then((body) => {
          resolve({ status: response.statusCode ?? 0, text: body });
        }, reject);
      });
      sent.on("error", reject);
    });
  }

  /** Waits until `/health` answers with 200. */
  healthy(): Promise<void> {
    return eventually(async () => {
      assert.equal(this.child.exitCode, null, this.output);
      assert.equal((await this.get("/health")).status, 200);
    });
  }

  /** Ends it and returns its exit status. */
  async stop(): Promise<number | null> {
    this.child.kill("SIGTERM");
    return this.ended();
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await new Promise((resolve) => this.child.once("close", resolve));
    }
    return this.child.exitCode;
  }
}
