/** `mesh snapshot` as operators run it: the API server is played, Consul's servers and what takes snapshots beside them are real. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { EventEmitter } from "node:events";
import { copyFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server as HttpServer, IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import * as path from "node:path";
import { snapshotRules } from "../../../components/discovery/consul/acl-rules";
import { checkoutDir } from "../../../dev/paths";
import { CONSUL, LABELS, SNAPSHOTS } from "../../../mesh";
import { MANAGEMENT_TOKEN, Servers } from "./servers";
import type { Server } from "./servers";

/** Of the package by which the Kubernetes client speaks: it brings no types. */
interface WebSocket extends EventEmitter {
  send(data: Buffer): void;
  close(): void;
}
interface WebSocketServer {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (connection: WebSocket) => void): void;
}
const { WebSocketServer } = createRequire(__filename)("ws") as {
  readonly WebSocketServer: new (options: {
    readonly noServer: true;
    readonly handleProtocols: (offered: ReadonlySet<string>) => string | false;
  }) => WebSocketServer;
};

const addressOf = ({ ordinal }: Server) => `10.0.0.${String(ordinal + 1)}`;
const nameOf = ({ ordinal }: Server) => `${CONSUL.service}-${String(ordinal)}`;

describe("mesh snapshot", function () {
  this.timeout(120_000);
  let servers: Servers;
  let api: HttpServer;
  let token: string;

  before(async () => {
    servers = await Servers.start();
    token = await servers.token("lucid-snapshots", snapshotRules());
    writeFileSync(path.join(servers.folder, "token"), token);
    api = await playedApi(servers);
    const { port } = api.address() as AddressInfo;
    for (const name of ["Pulumi.yaml", "mesh.yaml"])
      copyFileSync(path.join(checkoutDir, name), path.join(servers.folder, name));
    writeFileSync(path.join(servers.folder, "kubeconfig"), kubeconfig(port));
    for (const backend of ["consul", "etcd"])
      writeFileSync(path.join(servers.folder, `Pulumi.${backend}.yaml`), stack(backend));
  });
  after(async () => {
    api.closeAllConnections();
    api.close();
    await servers.stop();
  });

  /** The command as a process of its own. */
  const mesh = (stack: string, ...args: readonly string[]) =>
    new Promise<{ status: number | null; said: string }>((resolve) => {
      const command = [path.join(checkoutDir, "cli", "mesh.cjs"), "--cwd", servers.folder, "--stack", stack, ...args];
      const child = execFile(process.execPath, command, (_error, stdout, stderr) => {
        resolve({ status: child.exitCode, said: `${stdout}${stderr}` });
      });
      child.stdin?.end();
    });
  const key = async (value?: string) => {
    const leader = await servers.leader();
    const answer = await leader.request(value === undefined ? "GET" : "PUT", "/v1/kv/x?raw", MANAGEMENT_TOKEN, value);
    return answer.text();
  };
  let name: string;

  it("says that there is none yet", async () => {
    const { status, said } = await mesh("consul", "snapshot", "list");
    assert.equal(status, 1);
    assert.match(said, /no snapshot yet/);
  });

  it("takes one on the leader's volume", async () => {
    await key("before");
    const { status, said } = await mesh("consul", "snapshot", "take");
    assert.equal(status, 0, said);
    const leader = await servers.leader();
    [name = ""] = readdirSync(leader.snapshots);
    assert.match(said, new RegExp(`^${name} is on ${nameOf(leader)}: verified`));
  });

  it("lists it", async () => {
    const { status, said } = await mesh("consul", "snapshot", "list");
    assert.equal(status, 0, said);
    assert.match(said, new RegExp(`^${name} +consul-\\d .* good$`, "m"));
  });

  it("restores nothing that nobody has, or that nobody has confirmed", async () => {
    await key("after");
    const unknown = await mesh("consul", "snapshot", "restore", "20200101T000000Z-1.snap", "--yes");
    assert.deepEqual([unknown.status, /no server has a snapshot/.test(unknown.said)], [2, true], unknown.said);
    const asked = await mesh("consul", "snapshot", "restore", name);
    assert.deepEqual([asked.status, /say --yes/.test(asked.said)], [2, true], asked.said);
    assert.equal(await key(), "after");
  });

  it("restores what is confirmed, keeps what there was, and says no token", async () => {
    const { status, said } = await mesh("consul", "snapshot", "restore", name, "--yes");
    assert.equal(status, 0, said);
    assert.match(said, /^What is there now is kept as \S+\.snap on consul-\d\.$/m);
    assert.match(said, new RegExp(`^${name} is restored`, "m"));
    assert.equal(await key(), "before");
    for (const secret of [token, MANAGEMENT_TOKEN]) assert.ok(!said.includes(secret));
  });

  it("restores an emptied Consul", async () => {
    await servers.empty();
    await servers.up();
    assert.equal(await key(), "");
    const { status, said } = await mesh("consul", "snapshot", "restore", name, "--yes");
    assert.equal(status, 0, said);
    assert.match(said, /could not be kept \(.*403/);
    assert.equal(await key(), "before");
  });

  it("is none of a stack with another backend", async () => {
    const { status, said } = await mesh("etcd", "snapshot", "list");
    assert.equal(status, 2);
    assert.match(said, /snapshots are of Consul/);
  });
});

/** What the command asks of an API server: pods, a Secret, a port-forward to Consul, and commands in the container. */
async function playedApi(servers: Servers): Promise<HttpServer> {
  const podOf = (server: Server) => ({
    metadata: { name: nameOf(server), namespace: "lucid-mesh", labels: { [LABELS.name]: CONSUL.service } },
    status: {
      podIP: addressOf(server),
      containerStatuses: [{ name: SNAPSHOTS.container, ready: true, state: { running: {} } }],
    },
  });
  const config = Buffer.from(JSON.stringify({ acl: { tokens: { initial_management: MANAGEMENT_TOKEN } } }));
  const server = createServer((request, response) => {
    const body = request.url?.includes("/secrets/consul-config")
      ? { data: Object.fromEntries(servers.all.map((one) => [`${nameOf(one)}.json`, config.toString("base64")])) }
      : { items: servers.all.map(podOf) };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });
  server.on("upgrade", (request, socket, head) => {
    const url = new URL(request.url ?? "/", "http://played");
    const [, pod = "", verb] = /\/pods\/([^/]+)\/(exec|portforward)$/.exec(url.pathname) ?? [];
    const found = servers.all.find((one) => nameOf(one) === pod);
    sockets.handleUpgrade(request, socket, head, (connection) => {
      if (found === undefined) connection.close();
      else if (verb === "exec") execute(connection, found, url.searchParams);
      else tellLeader(connection, servers);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** A container's command, as kubelet runs it (channels 0 to 3: input, output, errors, how it ended). */
function execute(connection: WebSocket, server: Server, query: URLSearchParams): void {
  const [program, file, ...words] = query.getAll("command");
  assert.deepEqual([program, file, query.get("container")], ["node", "/app/main.cjs", SNAPSHOTS.container]);
  assert.ok(!query.toString().includes(MANAGEMENT_TOKEN), "a token among the arguments");
  const send = (channel: number, text: string) => {
    connection.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
  };
  const input = query.get("stdin") === "true" ? line(connection) : Promise.resolve(undefined);
  void input
    .then((text) => server.command(words, text))
    .then(({ code, stdout, stderr }) => {
      if (stdout !== "") send(1, stdout);
      if (stderr !== "") send(2, stderr);
      const causes = [{ reason: "ExitCode", message: String(code) }];
      send(3, JSON.stringify(code === 0 ? { status: "Success" } : { status: "Failure", details: { causes } }));
      connection.close();
    });
}

function line(connection: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    connection.on("message", (message: Buffer) => {
      if (message[0] === 0) said += message.subarray(1).toString();
      const [first, ...rest] = said.split("\n");
      if (rest.length > 0) resolve(first ?? "");
    });
  });
}

/** A port-forward to a server's loopback (channels 0 and 1: data and errors; each begins with the port), at which somebody asks for the leader. */
function tellLeader(connection: WebSocket, servers: Servers): void {
  const port = Buffer.alloc(2);
  port.writeUInt16LE(CONSUL.httpPort);
  for (const channel of [0, 1]) connection.send(Buffer.concat([Buffer.from([channel]), port]));
  connection.once("message", () => {
    void servers.leader().then((leader) => {
      const body = JSON.stringify(`${addressOf(leader)}:${String(CONSUL.rpcPort)}`);
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${String(body.length)}\r\nConnection: close\r\n\r\n`;
      connection.send(Buffer.concat([Buffer.from([0]), Buffer.from(head + body)]));
    });
  });
}

function kubeconfig(port: number): string {
  const server = `http://127.0.0.1:${String(port)}`;
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "played",
    clusters: [{ name: "played", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "played", user: {} }],
    contexts: [{ name: "played", context: { cluster: "played", user: "played" } }],
  });
}

function stack(backend: string): string {
  const settings = { apiServerCidr: "10.0.0.1/32", nodeResolverIp: "10.96.0.53", [`${backend}Ip`]: "10.96.0.54" };
  const config = { ...settings, discoveryBackend: backend, kubeconfig: "kubeconfig" };
  return JSON.stringify({
    config: Object.fromEntries(Object.entries(config).map(([name, value]) => [`lucid-mesh:${name}`, value])),
  });
}
