/** What agents serve: applications of every protocol, the discovery DNS, and a trace collector. */
import { createHash } from "node:crypto";
import * as dgram from "node:dgram";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import * as grpc from "@grpc/grpc-js";
import { bindGrpc } from "./bind-grpc";
import { misbehave } from "./faults";
import { decodeSpans, type Span } from "./otlp";
import { grpcMethod } from "./stream-methods";

/** What an application saw of a request; the body of its answer. */
export interface Seen {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the request's body. */
  readonly bodySha256: string;
}

const healthy = new Map<number, boolean>();

/**
 * An HTTP/1.1 application on the loopback: tells what it saw, and sends a WebSocket's bytes back. `?delayMs=` makes it slow, `?size=` its answer large;
 * it answers `100 Continue`, and ends with a trailer.
 */
export async function serveHttp(args: { service: string; port: number }): Promise<void> {
  healthy.set(args.port, true);
  const server = http.createServer((request, response) => {
    const hash = createHash("sha256");
    const query = new URLSearchParams((request.url ?? "").split("?")[1]);
    request.on("data", (chunk: Buffer) => hash.update(chunk));
    request.on("end", () => {
      const seen: Seen = {
        service: args.service,
        method: request.method ?? "",
        path: request.url ?? "",
        headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
        bodySha256: hash.digest("hex"),
      };
      misbehave(args.port, request, (status) => {
        response.statusCode = status ?? (request.url === "/health" && healthy.get(args.port) === false ? 503 : 200);
        response.setHeader("content-type", "application/json");
        setTimeout(
          () => {
            response.write(JSON.stringify(seen));
            response.write(Buffer.alloc(Number(query.get("size") ?? 0), " "));
            response.addTrailers({ "x-answered": "whole" });
            response.end();
          },
          Number(query.get("delayMs") ?? 0),
        );
      });
    });
  });
  server.on("upgrade", (request, socket) => {
    const key = `${request.headers["sec-websocket-key"] ?? ""}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    socket.on("data", (chunk) => socket.write(chunk));
    socket.on("error", () => socket.destroy());
  });
  await listening((done) => server.listen(args.port, "127.0.0.1", done));
}

/** Makes the application's health check fail, or pass again. */
export function setHealth(args: { port: number; healthy: boolean }): Promise<void> {
  healthy.set(args.port, args.healthy);
  return Promise.resolve();
}

const tcpServers = new Map<number, net.Server>();

/** A TCP application that speaks first, as many do (or not, where `banner` is empty), then echoes, and when its peer ends says how much it heard. */
export async function serveTcp(args: { port: number; banner: string }): Promise<void> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let heard = 0;
    socket.write(args.banner);
    socket.on("data", (chunk: Buffer) => {
      heard += chunk.length;
      socket.write(chunk);
    });
    socket.on("end", () => socket.end(`heard ${String(heard)}\n`));
    socket.on("error", () => socket.destroy());
  });
  tcpServers.set(args.port, server);
  await listening((done) => server.listen(args.port, "127.0.0.1", done));
}

/** Ends {@link serveTcp} at a port: who connects is refused. */
export function stopTcp(args: { port: number }): Promise<void> {
  tcpServers.get(args.port)?.close();
  return Promise.resolve();
}

/** An impostor: answers every request at a sidecar's port, with a certificate of the test's choice. */
export async function serveTls(args: {
  address: string;
  port: number;
  certificate: string;
  key: string;
}): Promise<void> {
  const options = { cert: args.certificate, key: args.key, requestCert: true, rejectUnauthorized: false };
  const server = http2.createSecureServer(options, (_request, response) => {
    response.end("from the impostor");
  });
  await listening((done) => server.listen(args.port, args.address, done));
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  impostors.set(args.port, () => {
    sessions.forEach((session) => {
      session.destroy();
    });
    server.close();
  });
}

const impostors = new Map<number, () => void>();

/** Ends what {@link serveTls} began. */
export function stopTls(args: { port: number }): Promise<void> {
  impostors.get(args.port)?.();
  return Promise.resolve();
}

const spans: Span[] = [];

/** A trace collector: keeps the spans it is sent. */
export async function serveOtlp(args: { port: number }): Promise<void> {
  const server = new grpc.Server();
  const Export = { ...grpcMethod("Export"), path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export" };
  const collect: grpc.handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    spans.push(...decodeSpans(call.request));
    callback(null, Buffer.alloc(0));
  };
  server.addService({ Export }, { Export: collect });
  await bindGrpc(server, args.port);
}

/** The spans collected so far. */
export function collectedSpans(): Promise<Span[]> {
  return Promise.resolve(spans);
}

let dns: dgram.Socket | undefined;
let records: Readonly<Record<string, string[]>> = {};
const asked: string[] = [];

/** The discovery DNS: answers A queries from a table, NXDOMAIN for everything else; SERVFAIL where it keeps what was known, as the node resolver does. */
export async function serveDns(args: {
  address: string;
  port: number;
  records: Record<string, string[]>;
  keeps?: true;
}): Promise<void> {
  records = args.records;
  const unknown = args.keeps === true ? 0x8182 : 0x8183;
  const socket = dgram.createSocket("udp4");
  dns = socket;
  socket.on("message", (query, from) => {
    const { name, end } = readName(query, 12);
    const type = query.readUInt16BE(end);
    asked.push(name);
    const addresses = type === 1 ? (records[name] ?? []) : [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(records[name] === undefined ? unknown : 0x8180, 2);
    [1, addresses.length, 0, 0].forEach((count, index) => head.writeUInt16BE(count, 4 + index * 2));
    const answers = addresses.map((address) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address.split(".").map(Number)]),
    );
    socket.send(Buffer.concat([head, query.subarray(12, end + 4), ...answers]), from.port, from.address);
  });
  await listening((done) => socket.bind(args.port, args.address, done));
}

/** Ends the discovery DNS, so that queries are refused. */
export function stopDns(): Promise<void> {
  dns?.close();
  return Promise.resolve();
}

/** Changes what the discovery DNS answers. */
export function setRecords(args: { records: Record<string, string[]> }): Promise<void> {
  records = args.records;
  return Promise.resolve();
}

/** Every name that the discovery DNS was asked for. */
export function askedNames(): Promise<string[]> {
  return Promise.resolve([...new Set(asked)]);
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString("ascii", at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join("."), end: at + 1 };
}

function listening(start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    start(resolve);
  });
}
