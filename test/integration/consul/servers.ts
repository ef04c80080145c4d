/** Consul's servers as the mesh has them, on loopback, each with what takes snapshots beside it. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { consulServerName, serverConfig, serverName } from "../../../components/discovery/consul/config";
import { binDir, checkoutDir } from "../../../dev/paths";
import { DISCOVERY_DOMAIN } from "../../../mesh";
import { freePorts } from "../../../services/controller/test/support/consul";
import { eventually } from "../support/eventually";

export const MANAGEMENT_TOKEN = "7d5a6cdc-0000-4000-8000-5a1b2c3d4e5f";
const GOSSIP_KEY = Buffer.alloc(32, 7).toString("base64");
const BUNDLE = path.join(checkoutDir, "services", "snapshots", "dist", "main.cjs");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server, and its volumes. */
export class Server {
  private agent: ChildProcess | undefined;
  private taker: ChildProcess | undefined;
  /** What the process that takes snapshots has said. */
  said = "";

  constructor(
    readonly ordinal: number,
    private readonly folder: string,
    readonly ports: {
      readonly http: number;
      readonly https: number;
      readonly rpc: number;
      readonly serf: number;
      readonly metrics: number;
    },
    readonly host = "127.0.0.1",
  ) {
    for (const volume of [this.data, this.snapshots]) mkdirSync(volume, { recursive: true });
  }

  get data(): string {
    return path.join(this.folder, serverName(this.ordinal), "data");
  }

  get snapshots(): string {
    return path.join(this.folder, serverName(this.ordinal), "snapshots");
  }

  /** `<address>:<port>`, as Raft names it. */
  get raftAddress(): string {
    return `${this.host}:${String(this.ports.rpc)}`;
  }

  /**
   * Starts it with the mesh's own configuration, but for addresses, ports and folders.
   *
   * @param acl what of its ACLs is other than the mesh has it
   */
  up(all: readonly Server[], acl: object = {}): void {
    const config = JSON.parse(
      serverConfig({
        servers: all.length,
        ordinal: this.ordinal,
        gossipKey: GOSSIP_KEY,
        managementToken: MANAGEMENT_TOKEN,
      }),
    ) as { acl: object; ports: object; tls: { defaults: object } };
    const { http, https, rpc, serf } = this.ports;
    const file = path.join(this.folder, `${serverName(this.ordinal)}.json`);
    const pem = (name: string) => path.join(this.folder, name);
    writeFileSync(
      file,
      JSON.stringify({
        ...config,
        acl: { ...config.acl, ...acl },
        bind_addr: this.host,
        addresses: { http: this.host, https: this.host },
        data_dir: this.data,
        ports: { ...config.ports, http, https, server: rpc, serf_lan: serf, serf_wan: -1 },
        retry_join: all.filter((other) => other !== this).map((other) => `${other.host}:${String(other.ports.serf)}`),
        tls: {
          ...config.tls,
          defaults: {
            ...config.tls.defaults,
            ca_file: pem("ca.crt"),
            cert_file: pem("tls.crt"),
            key_file: pem("tls.key"),
          },
        },
      }),
    );
    const args = ["agent", `-config-file=${file}`, `-node=${serverName(this.ordinal)}`, `-advertise=${this.host}`];
    this.agent = spawn(path.join(binDir(), "consul"), args, { stdio: "ignore" });
  }

  /** Starts what takes snapshots beside it. */
  take(settings: Readonly<Record<string, string>> = {}): void {
    const child = spawn(process.execPath, [BUNDLE], { env: this.env(settings), stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => (this.said += chunk));
    this.taker = child;
  }

  /** Runs a command of it, as `mesh snapshot` does in the container. */
  async command(words: readonly string[], line?: string): Promise<Ended> {
    const child = spawn(process.execPath, [BUNDLE, ...words], { env: this.env(), stdio: "pipe" });
    const [out, err]: string[][] = [[], []];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => out?.push(chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => err?.push(chunk));
    // Its end is left open, as that of an exec's input is.
    if (line !== undefined) child.stdin.write(`${line}\n`);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, stdout: out?.join("") ?? "", stderr: err?.join("") ?? "" };
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${String(this.ports.metrics)}/metrics`)).text();
  }

  async request(method: string, api: string, token?: string, body?: string | Buffer): Promise<Response> {
    return fetch(`http://${this.host}:${String(this.ports.http)}${api}`, {
      method,
      headers: { connection: "close", ...(token === undefined ? {} : { "x-consul-token": token }) },
      ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
    });
  }

  async stopServer(): Promise<void> {
    await killed(this.agent);
  }

  async stopTaker(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    return killed(this.taker, signal);
  }

  private env(settings: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      CONSUL_RAFT_ADDRESS: this.raftAddress,
      CONSUL_HTTP_ADDR: `https://${this.host}:${String(this.ports.https)}`,
      CONSUL_CACERT: path.join(this.folder, "ca.crt"),
      CONSUL_TLS_SERVER_NAME: consulServerName(),
      CONSUL_HTTP_TOKEN_FILE: path.join(this.folder, "token"),
      SNAPSHOTS_DIR: this.snapshots,
      SNAPSHOT_INTERVAL: "1",
      SNAPSHOT_METRICS_PORT: String(this.ports.metrics),
      ...settings,
    };
  }
}

/** Three servers of one cluster. */
export class Servers {
  private constructor(
    readonly folder: string,
    readonly all: readonly Server[],
  ) {}

  /** @param apart each at an address of its own and all at one HTTPS port, as pods are. Default: at one address */
  static async start(apart = false): Promise<Servers> {
    const folder = mkdtempSync(path.join(tmpdir(), "lucid-consul-servers-"));
    makeCertificates(folder);
    const count = 3;
    const [shared = 0, ...ports] = await freePorts(1 + count * 5);
    const all = Array.from({ length: count }, (_, ordinal) => {
      const [http = 0, own = 0, rpc = 0, serf = 0, metrics = 0] = ports.slice(ordinal * 5);
      const host = apart ? `127.0.0.${String(ordinal + 1)}` : "127.0.0.1";
      return new Server(ordinal, folder, { http, https: apart ? shared : own, rpc, serf, metrics }, host);
    });
    const servers = new Servers(folder, all);
    await servers.up();
    return servers;
  }

  async up(): Promise<void> {
    for (const server of this.all) server.up(this.all);
    await this.leader();
  }

  /** Waits until one leads, and its ACLs are there. */
  async leader(among: readonly Server[] = this.all): Promise<Server> {
    return eventually("a leader", async () => {
      for (const server of among) {
        const answer = await server.request("GET", "/v1/status/leader").catch(() => undefined);
        const address = answer?.ok === true ? ((await answer.json()) as string) : "";
        const found = among.find(({ raftAddress }) => raftAddress === address);
        if (found === undefined) continue;
        assert.equal((await found.request("GET", "/v1/acl/token/self", MANAGEMENT_TOKEN)).status, 200);
        return found;
      }
      throw new Error("none leads");
    });
  }

  /** Ends all servers, and takes their state away. */
  async empty(): Promise<void> {
    await Promise.all(this.all.map((server) => server.stopServer()));
    for (const { data } of this.all) {
      rmSync(data, { recursive: true });
      mkdirSync(data);
    }
  }

  /** A token of a policy. */
  async token(name: string, rules: string): Promise<string> {
    const leader = await this.leader();
    const put = async (api: string, body: object) => {
      const answer = await leader.request("PUT", api, MANAGEMENT_TOKEN, JSON.stringify(body));
      assert.ok(answer.ok, `${api}: ${String(answer.status)}`);
      return (await answer.json()) as { SecretID: string };
    };
    await put("/v1/acl/policy", { Name: name, Rules: rules });
    return (await put("/v1/acl/token", { Policies: [{ Name: name }] })).SecretID;
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.flatMap((server) => [server.stopTaker("SIGKILL"), server.stopServer()]));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function killed(child: ChildProcess | undefined, signal: NodeJS.Signals = "SIGKILL"): Promise<number | null> {
  if (child === undefined) return null;
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }
  return child.exitCode;
}

function makeCertificates(folder: string): void {
  const tls = (...args: string[]) =>
    execFileSync(path.join(binDir(), "consul"), ["tls", ...args, `-domain=${DISCOVERY_DOMAIN}`], {
      cwd: folder,
      stdio: "pipe",
    });
  tls("ca", "create");
  tls("cert", "create", "-server", "-dc=dc1");
  const rename = (from: string, to: string) => execFileSync("mv", [path.join(folder, from), path.join(folder, to)]);
  rename(`${DISCOVERY_DOMAIN}-agent-ca.pem`, "ca.crt");
  rename(`dc1-server-${DISCOVERY_DOMAIN}-0.pem`, "tls.crt");
  rename(`dc1-server-${DISCOVERY_DOMAIN}-0-key.pem`, "tls.key");
}
