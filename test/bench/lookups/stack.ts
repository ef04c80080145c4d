/** Consul's server and a node's two answering programs on loopback, with the configuration that the mesh renders but for TLS, ACLs and ports. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { clientConfig, serverConfig } from "../../../components/discovery/consul/config";
import { corefile } from "../../../components/discovery/corefile";
import { NODE_RESOLVER } from "../../../mesh/wire";
import { eventually } from "../../integration/support/eventually";

/** Ports on 127.0.0.1; the machine's own resolver and an embedded cluster have others. */
export const PORTS = {
  serverHttp: 28500,
  serverDns: 28600,
  serverGossip: 28301,
  serverRpc: 28300,
  agentHttp: 29500,
  agentDns: 29600,
  agentGossip: 29301,
  agentRpc: 29300,
  cacheDns: 29053,
  cacheReady: 29181,
  cacheHealth: 29180,
  cacheMetrics: 29153,
} as const;

/** What of the rendered configuration is about certificates, keys, rights, and addresses in a cluster. */
const REPLACED: readonly string[] = ["tls", "encrypt", "acl", "addresses", "auto_reload_config"];

type Json = Readonly<Record<string, unknown>>;

export class Stack {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "lucid-lookups-"));
  private readonly started: ChildProcess[] = [];
  private cache: ChildProcess | undefined;

  private constructor(private readonly programs: Readonly<Record<"consul" | "coredns", string>>) {}

  static async start(programs: Readonly<Record<"consul" | "coredns", string>>): Promise<Stack> {
    const stack = new Stack(programs);
    try {
      stack.runAgent("server", stack.configOf("server"));
      await answers(`http://127.0.0.1:${PORTS.serverHttp}/v1/status/leader`, /:\d+/);
      stack.runAgent("agent", stack.configOf("agent"));
      await answers(`http://127.0.0.1:${PORTS.agentHttp}/v1/status/leader`, /:\d+/);
      await stack.restartCache();
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  /** A cache that knows nothing yet. */
  async restartCache(): Promise<void> {
    if (this.cache !== undefined) await end(this.cache);
    const plugin = [`forward . 127.0.0.1:${PORTS.agentDns} {`, "    max_fails 0", "}"];
    const text = corefile(plugin)
      .replace(`:${NODE_RESOLVER.dnsPort} {`, `:${PORTS.cacheDns} {\n    bind 127.0.0.1`)
      .replace("    errors\n", `    prometheus 127.0.0.1:${PORTS.cacheMetrics}\n`)
      .replace(`ready :${NODE_RESOLVER.canaryPort}`, `ready 127.0.0.1:${PORTS.cacheReady}`)
      .replace("health :8080", `health 127.0.0.1:${PORTS.cacheHealth}`);
    const file = path.join(this.folder, "Corefile");
    writeFileSync(file, text);
    this.cache = this.run("coredns", this.programs.coredns, ["-conf", file]);
    await answers(`http://127.0.0.1:${PORTS.cacheReady}/ready`, /OK/);
  }

  /** Lookups for which the cache asked Consul (what it knows and must verify is no miss to CoreDNS's own count), and all, since it was started. */
  async cacheCounts(): Promise<{ readonly missed: number; readonly asked: number }> {
    const text = await (await fetch(`http://127.0.0.1:${PORTS.cacheMetrics}/metrics`)).text();
    const sum = (name: string) =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([\\d.e+]+)$`, "gm"))].reduce(
        (total, [, value]) => total + Number(value),
        0,
      );
    return { missed: sum("coredns_proxy_request_duration_seconds_count"), asked: sum("coredns_cache_requests_total") };
  }

  async stop(): Promise<void> {
    for (const child of [...this.started].reverse()) await end(child);
    rmSync(this.folder, { recursive: true });
  }

  private configOf(role: "server" | "agent"): Json {
    const secrets = { servers: 1, gossipKey: "", managementToken: "", agentToken: "" };
    const rendered = JSON.parse(
      role === "server" ? serverConfig({ ...secrets, ordinal: 0 }) : clientConfig(secrets),
    ) as Json;
    const kept = Object.entries(rendered).filter(([key]) => !REPLACED.includes(key));
    const isServer = role === "server";
    const [http, dns, serf, rpc] = isServer
      ? [PORTS.serverHttp, PORTS.serverDns, PORTS.serverGossip, PORTS.serverRpc]
      : [PORTS.agentHttp, PORTS.agentDns, PORTS.agentGossip, PORTS.agentRpc];
    return {
      ...Object.fromEntries(kept),
      encrypt_verify_incoming: false,
      encrypt_verify_outgoing: false,
      bind_addr: "127.0.0.1",
      advertise_addr: "127.0.0.1",
      node_name: role,
      data_dir: path.join(this.folder, role),
      retry_join: isServer ? [] : [`127.0.0.1:${PORTS.serverGossip}`],
      ports: { http, https: -1, grpc: -1, grpc_tls: -1, dns, serf_lan: serf, serf_wan: -1, server: rpc },
      // Servers answer no DNS in the mesh; here they do, to be compared with.
      dns_config: (JSON.parse(clientConfig(secrets)) as { dns_config: Json }).dns_config,
    };
  }

  private runAgent(name: string, config: Json): void {
    const file = path.join(this.folder, `${name}.json`);
    mkdirSync(path.join(this.folder, name));
    writeFileSync(file, JSON.stringify(config));
    this.run(name, this.programs.consul, ["agent", `-config-file=${file}`, "-log-level=warn"]);
  }

  private run(name: string, program: string, args: readonly string[]): ChildProcess {
    const log = openSync(path.join(this.folder, `${name}.log`), "a");
    const child = spawn(program, args, { stdio: ["ignore", log, log] });
    this.started.push(child);
    return child;
  }
}

async function answers(url: string, holds: RegExp): Promise<void> {
  await eventually(url, async () => {
    const text = await (await fetch(url)).text();
    if (!holds.test(text)) throw new Error(text);
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}
