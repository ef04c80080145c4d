/** What agents ask without a certificate: as the application, as kubelet, or as a stranger. */
import { lookup as systemLookup, Resolver } from "node:dns/promises";
import * as http from "node:http";
import * as net from "node:net";
import * as tls from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { collect, flat, TIMEOUT_MS, type Answer } from "./answer";

/** One HTTP/1.1 request on a connection of its own. The path is sent as it is given, dots and escapes included. */
export function request(args: {
  host: string;
  port: number;
  path: string;
  method?: string;
  headers?: Record<string, string>;
}): Promise<Answer> {
  const { host, port, path, method = "GET", headers = {} } = args;
  return new Promise((resolve) => {
    const outgoing = http.request(
      { host, port, path, method, headers, agent: false, timeout: TIMEOUT_MS },
      (response) => {
        collect(response, (body) => {
          resolve({ status: response.statusCode, headers: flat(response.headers), body });
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error("timeout")));
    outgoing.on("error", (error: Error) => {
      resolve({ refused: error.message });
    });
    outgoing.end();
  });
}

/** Requests on one kept-alive connection, one every `everyMs`, until it is closed or `forMs` have passed; their statuses in order, and when each was sent. */
export async function requestKeptAlive(args: {
  host: string;
  port: number;
  path: string;
  everyMs: number;
  forMs: number;
}): Promise<{ statuses: number[]; times: number[]; connections: number }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const statuses: number[] = [];
  const times: number[] = [];
  const sockets = new Set<net.Socket>();
  for (const until = Date.now() + args.forMs; Date.now() < until;) {
    times.push(Date.now());
    statuses.push(
      await new Promise<number>((resolve) => {
        const outgoing = http.get({ host: args.host, port: args.port, path: args.path, agent }, (response) => {
          collect(response, () => {
            resolve(response.statusCode ?? 0);
          });
        });
        outgoing.on("socket", (socket) => sockets.add(socket));
        outgoing.on("error", () => {
          resolve(0);
        });
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, args.everyMs));
  }
  agent.destroy();
  return { statuses, times, connections: sockets.size };
}

/** A gRPC call; the answer's text, or the status that it failed with. */
export function callGrpc(args: {
  target: string;
  /** Default: `fgrpc.PingServer`. */
  service?: string;
  method?: string;
  metadata?: Record<string, string>;
}): Promise<{ text?: string; code?: number; details?: string }> {
  const client = new grpc.Client(args.target, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(args.metadata ?? {})) metadata.set(name, value);
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      `/${args.service ?? "fgrpc.PingServer"}/${args.method ?? "Ping"}`,
      (value: Buffer) => value,
      (value: Buffer) => value,
      Buffer.alloc(0),
      metadata,
      { deadline: Date.now() + TIMEOUT_MS },
      (error, response?: Buffer) => {
        client.close();
        resolve(error === null ? { text: response?.toString() } : { code: error.code, details: error.details });
      },
    );
  });
}

/** Upgrades to WebSocket, sends one text and gives back the bytes of the first frame that returns. */
export function websocket(args: {
  host: string;
  port: number;
  text: string;
  headers?: Record<string, string>;
}): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.from("0123456789abcdef").toString("base64"),
      ...args.headers,
    };
    const outgoing = http.get({ host: args.host, port: args.port, path: "/", headers });
    outgoing.on("upgrade", (response, socket) => {
      socket.once("data", (chunk: Buffer) => {
        resolve({ status: response.statusCode, body: chunk.toString() });
        socket.destroy();
      });
      socket.write(args.text);
    });
    outgoing.on("response", (response) => {
      resolve({ status: response.statusCode });
      outgoing.destroy();
    });
    outgoing.on("error", (error: Error) => {
      resolve({ refused: error.message });
    });
  });
}

/** Connects by plain TCP, or by TLS where a server name is given; sends a text and gives back all that came within `waitMs`. */
export function exchange(args: {
  host: string;
  port: number;
  text: string;
  waitMs: number;
  tls?: { serverName: string; certificate: string; key: string };
}): Promise<Answer> {
  return new Promise((resolve) => {
    let body = "";
    const { host, port, text } = args;
    const socket: net.Socket =
      args.tls === undefined
        ? net.connect({ host, port })
        : tls.connect({
            host,
            port,
            servername: args.tls.serverName,
            cert: args.tls.certificate,
            key: args.tls.key,
            rejectUnauthorized: false,
          });
    socket.on(args.tls === undefined ? "connect" : "secureConnect", () => {
      if (text !== "") {
        socket.write(text);
      }
    });
    socket.on("data", (chunk: Buffer) => (body += chunk.toString()));
    socket.on("error", (error: Error) => {
      resolve({ body, refused: error.message });
    });
    socket.on("close", () => {
      resolve({ body, refused: "closed" });
    });
    setTimeout(() => {
      resolve({ body });
      socket.destroy();
    }, args.waitMs);
  });
}

/** Keeps one TCP connection busy with a few bytes every `everyMs`, until it is closed or `forMs` have passed. */
export function keepTalking(args: { host: string; port: number; everyMs: number; forMs: number }): Promise<{
  /** When bytes last came back, in milliseconds of the epoch; absent where none did. */
  heardAt?: number;
  /** When the other side closed it; absent where it still stood at the end. */
  closedAt?: number;
}> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: args.host, port: args.port });
    let heardAt: number | undefined;
    const timer = setInterval(() => socket.write("x"), args.everyMs);
    const end = (closedAt?: number): void => {
      clearInterval(timer);
      clearTimeout(limit);
      socket.destroy();
      resolve({ heardAt, closedAt });
    };
    const limit = setTimeout(end, args.forMs);
    socket.on("data", () => (heardAt = Date.now()));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      end(Date.now());
    });
  });
}

/** Asks the resolver at 127.0.0.1 for a name; the addresses, or the error's code. */
export async function resolveName(args: { name: string; type: "A" | "AAAA" }): Promise<string[] | string> {
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers(["127.0.0.1"]);
  try {
    return args.type === "A" ? await resolver.resolve4(args.name) : await resolver.resolve6(args.name);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}

/** Looks a name up as most programs do, by the C library's getaddrinfo; the addresses, or the error's code. */
export async function lookup(args: { name: string }): Promise<string[] | string> {
  try {
    return (await systemLookup(args.name, { all: true })).map((entry) => entry.address);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}
