/** CoreDNS of the toolchain as a node runs it, with the Corefile that the mesh renders, before an etcd on loopback. */
import { spawn, type ChildProcess } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { createSocket } from "node:dgram";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { corefile } from "../../../components/discovery/corefile";
import { etcdPlugin } from "../../../components/discovery/etcd/resolver";
import { binDir } from "../../../dev/paths";
import { NODE_RESOLVER } from "../../../mesh";
import type { KeyPair } from "../../../dev/cluster/pki";
import { eventually } from "../support/eventually";

export class TestResolver {
  private process: ChildProcess | undefined;
  private readonly log: string[] = [];

  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  /** @param etcd port of etcd on loopback */
  static async start(etcd: number, authority: KeyPair, identity: KeyPair): Promise<TestResolver> {
    const folder = mkdtempSync(path.join(tmpdir(), "lucid-resolver-"));
    const certificates = path.join(folder, "tls");
    mkdirSync(certificates);
    copyFileSync(authority.certificate, path.join(certificates, "ca.crt"));
    copyFileSync(identity.certificate, path.join(certificates, "tls.crt"));
    copyFileSync(identity.key, path.join(certificates, "tls.key"));
    const [port, canary, health] = [await freeUdpPort(), await freeUdpPort(), await freeUdpPort()];
    const text = corefile(etcdPlugin([`https://localhost:${etcd}`], certificates))
      .replace(`:${NODE_RESOLVER.dnsPort} {`, `:${port} {\n    bind 127.0.0.1`)
      .replace(`ready :${NODE_RESOLVER.canaryPort}`, `ready 127.0.0.1:${canary}`)
      .replace("health :8080", `health 127.0.0.1:${health}`);
    writeFileSync(path.join(folder, "Corefile"), text);
    const resolver = new TestResolver(folder, port);
    resolver.up();
    await eventually("CoreDNS", async () => {
      const response = await fetch(`http://127.0.0.1:${canary}/ready`);
      if (response.status !== 200) throw new Error(`${response.status}: ${resolver.log.join("")}`);
    });
    return resolver;
  }

  /** The addresses of a name, sorted; or the code with which it is refused. */
  async addresses(name: string): Promise<string[] | string> {
    // While etcd is away CoreDNS asks it for five seconds, before it serves what it had.
    const resolver = new Resolver({ timeout: 20_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${this.port}`]);
    try {
      return (await resolver.resolve4(name)).sort();
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  async stop(): Promise<void> {
    const { process: child } = this;
    if (child !== undefined && child.exitCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.folder, { recursive: true });
  }

  private up(): void {
    const file = path.join(this.folder, "Corefile");
    this.process = spawn(path.join(binDir(), "coredns"), ["-conf", file], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.setEncoding("utf8").on("data", (chunk: string) => this.log.push(chunk));
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
