import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pki, type KeyPair } from "../../../../dev/cluster/pki.js";
import { binDir } from "../../../../dev/paths.js";
import type { ZoneName } from "../../../../mesh/model.js";
import { ETCD_RESOLVER, ETCD_ROOT, etcdPrefixOf, etcdRegistrarOf } from "../../../../mesh/etcd.js";
import { EtcdClient, EtcdError } from "../../src/etcd/client.js";
import type { Access } from "../../src/etcd/access/document.js";
import type { EtcdConnection } from "../../src/etcd/settings.js";
import { freePorts } from "./consul.js";
import { eventually } from "./eventually.js";

const AUTHORITY = "mesh";
export const SERVER_NAME = "etcd.lucid.internal";

const SERVICES: Readonly<Partial<Record<ZoneName, readonly string[]>>> = {
  ops: ["admin-ui", "prometheus"],
  chain: ["lucid-blocks"],
};

/** Who may do what, as the mesh's own document says it: a zone's user writes that zone's names, and resolvers read all. */
export const ACCESS: Access = {
  roles: {
    ...Object.fromEntries(
      Object.entries(SERVICES).map(([zone, services]) => [
        etcdRegistrarOf(zone as ZoneName),
        [
          { prefix: ETCD_ROOT, access: "read" as const },
          ...services.map((service) => ({ prefix: etcdPrefixOf(service), access: "write" as const })),
        ],
      ]),
    ),
    resolver: [{ prefix: ETCD_ROOT, access: "read" }],
  },
  users: {
    ...Object.fromEntries(
      Object.keys(SERVICES).map((zone) => [
        etcdRegistrarOf(zone as ZoneName),
        { roles: [etcdRegistrarOf(zone as ZoneName)], password: true },
      ]),
    ),
    [ETCD_RESOLVER]: { roles: ["resolver"], password: false },
  },
};

/** A real etcd on loopback: mutual TLS 1.3, and nobody logged in yet. */
export class TestEtcd {
  private process: ChildProcess | undefined;
  private output = "";

  private constructor(
    /** Holds the certificates (`pki/`), the passwords (`passwords/<user>`) and the data. */
    readonly folder: string,
    readonly port: number,
    private readonly peerPort: number,
    readonly authority: KeyPair,
    private readonly server: KeyPair,
    readonly pki: Pki,
    readonly connection: EtcdConnection,
  ) {}

  static async start(): Promise<TestEtcd> {
    const binary = join(binDir(), "etcd-server");
    assert.ok(existsSync(binary), `${binary} is missing: npm run toolchain builds it`);
    const folder = mkdtempSync(join(tmpdir(), "lucid-etcd-"));
    const [port = 0, peerPort = 0] = await freePorts(2);
    const pki = new Pki(join(folder, "pki"));
    const authority = await pki.authority(AUTHORITY);
    const both = ["server", "client"] as const;
    const server = await pki.leaf(AUTHORITY, "etcd", {
      commonName: SERVER_NAME,
      dns: [SERVER_NAME, "localhost"],
      usages: both,
    });
    // etcd's gateway hears nobody whose certificate has a common name: it would be taken for a user's, and is not.
    const client = await pki.leaf(AUTHORITY, "mesh-controller", {
      commonName: "",
      organization: "Lucid",
      usages: both,
    });
    const passwordsDirectory = join(folder, "passwords");
    mkdirSync(passwordsDirectory);
    for (const user of ["root", ...Object.keys(ACCESS.users)]) {
      writeFileSync(join(passwordsDirectory, user), `password-of-${user}\n`);
    }
    const etcd = new TestEtcd(folder, port, peerPort, authority, server, pki, {
      address: new URL(`https://127.0.0.1:${String(port)}`),
      serverName: SERVER_NAME,
      caFile: authority.certificate,
      certificateFile: client.certificate,
      keyFile: client.key,
      passwordsDirectory,
    });
    await etcd.up();
    return etcd;
  }

  /** A further client certificate of the same authority. */
  client(name: string): Promise<KeyPair> {
    return this.pki.leaf(AUTHORITY, name, { commonName: `${name}.lucid.internal`, usages: ["client"] });
  }

  /** A request in a user's name, past the controller. */
  async request(user: string, path: string, body: unknown): Promise<unknown> {
    const client = new EtcdClient(this.connection);
    try {
      return await client.request(user, path, body);
    } finally {
      client.close();
    }
  }

  /** Starts it, with the data that it has. */
  async up(): Promise<void> {
    const clientUrl = `https://localhost:${String(this.port)}`;
    const peerUrl = `https://localhost:${String(this.peerPort)}`;
    const { certificate, key } = this.server;
    const ca = this.authority.certificate;
    const flags = {
      name: "etcd-0",
      "data-dir": join(this.folder, "data"),
      "listen-client-urls": `https://127.0.0.1:${String(this.port)}`,
      "advertise-client-urls": clientUrl,
      "listen-peer-urls": `https://127.0.0.1:${String(this.peerPort)}`,
      "initial-advertise-peer-urls": peerUrl,
      "initial-cluster": `etcd-0=${peerUrl}`,
      "client-cert-auth": "true",
      "trusted-ca-file": ca,
      "cert-file": certificate,
      "key-file": key,
      "peer-client-cert-auth": "true",
      "peer-trusted-ca-file": ca,
      "peer-cert-file": certificate,
      "peer-key-file": key,
      "tls-min-version": "TLS1.3",
      // Passwords are made up, and the machine may be busy.
      "bcrypt-cost": "4",
      // It is thrown away with the test.
      "unsafe-no-fsync": "true",
    };
    const binary = join(binDir(), "etcd-server");
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.process = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => (this.output = (this.output + chunk).slice(-4_000)));
    }
    const client = new EtcdClient(this.connection);
    await eventually(async () => {
      assert.equal(this.process?.exitCode, null, `etcd ended: ${this.output}`);
      try {
        await client.requestUnnamed("maintenance/status", {});
      } catch (error) {
        // Once users are asked for, a refusal is an answer as well.
        if (!(error instanceof EtcdError)) throw error;
      }
    }, 30_000);
    client.close();
  }

  /** Ends the server; what it wrote stays. */
  async down(): Promise<void> {
    const { process: child } = this;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
  }

  /** Has it begin again with nothing: no key, no user, no role. */
  async empty(): Promise<void> {
    await this.down();
    rmSync(join(this.folder, "data"), { recursive: true });
    await this.up();
  }

  async stop(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Ways to an etcd that must not be answered: another authority's certificate, a server of another name, another authority's server. */
export async function strangersTo(etcd: TestEtcd): Promise<EtcdConnection[]> {
  const pki = new Pki(join(etcd.folder, "strangers"));
  const authority = await pki.authority("other");
  const forged = await pki.leaf("other", "forged", {
    commonName: "",
    organization: "Lucid",
    usages: ["client"],
  });
  return [
    { ...etcd.connection, certificateFile: forged.certificate, keyFile: forged.key },
    { ...etcd.connection, serverName: "etcd.example.org" },
    { ...etcd.connection, caFile: authority.certificate },
  ];
}
