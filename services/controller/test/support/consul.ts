import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binDir } from "../../../../dev/paths.js";
import { ACL_READER, aclNameOf, tokenDescription, tokenNameIn } from "../../../../mesh/consul.js";
import type { ZoneName } from "../../../../mesh/model.js";
import type { ConsulSettings } from "../../src/consul/settings.js";
import { eventually } from "./eventually.js";

const MANAGEMENT_TOKEN = "7d5a6cdc-0000-4000-8000-5a1b2c3d4e5f";
const READER_TOKEN = "33333333-0000-4000-8000-5a1b2c3d4e5f";

/** Who may register what, as the mesh's own ACLs say it: a zone's token writes that zone's nodes and services. */
const ZONES: Readonly<Partial<Record<ZoneName, { readonly token: string; readonly services: readonly string[] }>>> = {
  ops: { token: "11111111-0000-4000-8000-5a1b2c3d4e5f", services: ["admin-ui", "prometheus"] },
  chain: { token: "22222222-0000-4000-8000-5a1b2c3d4e5f", services: ["lucid-blocks"] },
};

/** One instance as Consul's health endpoint tells it. */
export interface Instance {
  readonly Node: { readonly Node: string; readonly Address: string; readonly Meta: Record<string, string> };
  readonly Service: {
    readonly ID: string;
    readonly Service: string;
    readonly Address: string;
    readonly Port: number;
    readonly Tags: string[];
  };
  readonly Checks: { readonly CheckID: string; readonly Status: string }[];
}

/** A real Consul server on loopback: ACLs with default deny, HTTPS with a certificate for `server.dc1.consul`. */
export class TestConsul {
  private process: ChildProcess | undefined;
  private output = "";

  private constructor(
    private readonly binary: string,
    /** Holds the CA (`ca.pem`) and the tokens (`tokens/<zone>`). */
    readonly folder: string,
    readonly httpPort: number,
    readonly httpsPort: number,
    private readonly otherPorts: readonly number[],
  ) {}

  /** @param more services that a zone's token may write besides the usual */
  static async start(more: Readonly<Partial<Record<ZoneName, readonly string[]>>> = {}): Promise<TestConsul> {
    const binary = join(binDir(), "consul");
    assert.ok(existsSync(binary), `${binary} is missing: npm run toolchain builds it`);
    const folder = mkdtempSync(join(tmpdir(), "lucid-consul-"));
    const [httpPort = 0, httpsPort = 0, ...others] = await freePorts(4);
    const consul = new TestConsul(binary, folder, httpPort, httpsPort, others);
    consul.makeCertificates();
    await consul.up();
    await consul.makeTokens(more);
    return consul;
  }

  /** How a controller reaches it. */
  get config(): ConsulSettings {
    return {
      address: new URL(`https://127.0.0.1:${String(this.httpsPort)}`),
      caFile: join(this.folder, "ca.pem"),
      serverName: "server.dc1.consul",
      tokensDirectory: join(this.folder, "tokens"),
    };
  }

  /** A request with all rights, past the controller. */
  async request(method: "GET" | "PUT" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${String(this.httpPort)}${path}`, {
      method,
      headers: { "X-Consul-Token": MANAGEMENT_TOKEN },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${String(response.status)} ${text}`);
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  }

  /** Has all of its state become what `edit` makes of it: a snapshot is taken, changed past Consul's API and restored. */
  async editState(edit: (state: Buffer) => Buffer): Promise<void> {
    const url = `http://127.0.0.1:${String(this.httpPort)}/v1/snapshot`;
    const headers = { "X-Consul-Token": MANAGEMENT_TOKEN };
    const folder = mkdtempSync(join(this.folder, "snapshot-"));
    const [archive, state, sums] = ["archive", "state.bin", "SHA256SUMS"].map((name) => join(folder, name));
    assert.ok(archive !== undefined && state !== undefined && sums !== undefined);
    writeFileSync(archive, Buffer.from(await (await fetch(url, { headers })).arrayBuffer()));
    execFileSync("tar", ["-xzf", archive, "-C", folder], { stdio: "pipe" });
    const before = readFileSync(state);
    const after = edit(before);
    assert.ok(!after.equals(before), "something was edited");
    writeFileSync(state, after);
    const digest = (content: Buffer) => createHash("sha256").update(content).digest("hex");
    writeFileSync(sums, readFileSync(sums, "utf8").replace(digest(before), digest(after)));
    // Consul reads an archive that ends where it should.
    const files = ["-b", "1", "-C", folder, "meta.json", "state.bin", "SHA256SUMS"];
    execFileSync("tar", ["-czf", archive, ...files], { stdio: "pipe" });
    const answer = await fetch(url, { method: "PUT", headers, body: new Uint8Array(readFileSync(archive)) });
    assert.equal(answer.status, 200, await answer.text());
  }

  async instances(service: string): Promise<Instance[]> {
    return (await this.request("GET", `/v1/health/service/${service}`)) as Instance[];
  }

  async nodes(): Promise<string[]> {
    return ((await this.request("GET", "/v1/catalog/nodes")) as { Node: string }[]).map(({ Node }) => Node).sort();
  }

  /** Freezes the server: connections stand, nothing is answered. */
  freeze(): void {
    this.process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.process?.kill("SIGCONT");
  }

  /** Ends the server and removes its files. */
  async stop(): Promise<void> {
    const { process: child } = this;
    if (child !== undefined && child.exitCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async up(): Promise<void> {
    const [rpc, serf] = this.otherPorts;
    const file = join(this.folder, "server.json");
    writeFileSync(
      file,
      JSON.stringify({
        node_name: "server-under-test",
        bind_addr: "127.0.0.1",
        client_addr: "127.0.0.1",
        ports: {
          http: this.httpPort,
          https: this.httpsPort,
          server: rpc,
          serf_lan: serf,
          serf_wan: -1,
          dns: -1,
          grpc: -1,
          grpc_tls: -1,
        },
        tls: {
          https: {
            ca_file: join(this.folder, "ca.pem"),
            cert_file: join(this.folder, "dc1-server-consul-0.pem"),
            key_file: join(this.folder, "dc1-server-consul-0-key.pem"),
          },
        },
        acl: { enabled: true, default_policy: "deny", tokens: { initial_management: MANAGEMENT_TOKEN } },
      }),
    );
    this.process = spawn(this.binary, ["agent", "-dev", "-config-file", file], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => (this.output = (this.output + chunk).slice(-4_000)));
    }
    await eventually(async () => {
      assert.equal(this.process?.exitCode, null, `Consul ended: ${this.output}`);
      await this.request("GET", "/v1/acl/policies");
    }, 30_000);
  }

  private makeCertificates(): void {
    const tls = (...args: string[]): void => {
      execFileSync(this.binary, ["tls", ...args], { cwd: this.folder, stdio: "pipe" });
    };
    tls("ca", "create");
    tls("cert", "create", "-server", "-dc", "dc1");
    writeFileSync(join(this.folder, "ca.pem"), readFileSync(join(this.folder, "consul-agent-ca.pem")));
  }

  private async makeTokens(more: Readonly<Partial<Record<ZoneName, readonly string[]>>>): Promise<void> {
    mkdirSync(join(this.folder, "tokens"));
    await this.makeToken(ACL_READER, READER_TOKEN, 'acl = "read"\n');
    for (const [zone, { token, services }] of Object.entries(ZONES)) {
      const rules = [
        `node_prefix "lucid-${zone}-" { policy = "write" }`,
        ...[...services, ...(more[zone as ZoneName] ?? [])].map(
          (service) => `service "${service}" { policy = "write" }`,
        ),
      ];
      await this.makeToken(zone, token, rules.join("\n"), `registrar-${zone}`);
    }
  }

  /** Makes a policy as a program does: one of its name becomes it. */
  async setPolicy(policy: {
    readonly Name: string;
    readonly Description: string;
    readonly Rules: string;
  }): Promise<void> {
    const all = (await this.request("GET", "/v1/acl/policies")) as readonly { ID: string; Name: string }[];
    const known = all.find(({ Name }) => Name === policy.Name);
    await this.request("PUT", `/v1/acl/policy${known === undefined ? "" : `/${known.ID}`}`, policy);
  }

  /** Makes a token as a program does: one of its name becomes it. A controller reads it from the file that is named for its role. */
  async setToken(Description: string, policies: readonly string[]): Promise<void> {
    const name = tokenNameIn(Description);
    const all = (await this.request("GET", "/v1/acl/tokens")) as readonly { AccessorID: string; Description: string }[];
    const known = all.find((token) => tokenNameIn(token.Description) === name);
    const place = known === undefined ? "" : `/${known.AccessorID}`;
    const body = { AccessorID: known?.AccessorID, Description, Policies: policies.map((Name) => ({ Name })) };
    const { SecretID } = (await this.request("PUT", `/v1/acl/token${place}`, body)) as { SecretID: string };
    writeFileSync(join(this.folder, "tokens", (name ?? "").replace(/^lucid-(registrar-)?/, "")), `${SecretID}\n`);
  }

  private async makeToken(file: string, SecretID: string, Rules: string, role = file): Promise<void> {
    const Name = aclNameOf(role);
    await this.request("PUT", "/v1/acl/policy", { Name, Rules });
    const Description = tokenDescription(Name, "of the test's");
    await this.request("PUT", "/v1/acl/token", { SecretID, Description, Policies: [{ Name }] });
    writeFileSync(join(this.folder, "tokens", file), `${SecretID}\n`);
  }
}

/** Ports of loopback that are free now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  return Promise.all(
    servers.map((server) => {
      const address = server.address();
      assert.ok(address !== null && typeof address === "object");
      return new Promise<number>((resolve) =>
        server.close(() => {
          resolve(address.port);
        }),
      );
    }),
  );
}
