/** What agents serve as a service outside the mesh: HTTP or bytes, by TLS or without. */
import * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import * as tls from "node:tls";
import { flat } from "./answer";

/** How it proves itself. */
export interface OutsideCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** What it learned of who called; the body of its answer. */
export interface OutsideSeen {
  readonly instance: string;
  /** Address of the caller, as it is on the wire. */
  readonly from: string;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Server name, protocol and version of TLS, and the URI names of the caller's certificate. */
  readonly tls?: {
    readonly serverName: string | false | null;
    readonly alpn: string | false | null;
    readonly version: string | null;
    readonly callerNames: string;
  };
}

const servers = new Map<number, () => Promise<void>>();

/** Serves HTTP/1.1, HTTP/2 or bytes at a port of all addresses, and tells each caller what it learned. `/healthz` is answered as `setOutsideHealth` says. */
export async function serveOutside(args: {
  port: number;
  speaks: "http" | "http2" | "bytes";
  tls?: OutsideCertificate;
  /** Newest version of TLS that it speaks. Default: 1.3. */
  newest?: tls.SecureVersion;
}): Promise<void> {
  const { port, speaks } = args;
  const secure: tls.TlsOptions = {
    cert: args.tls?.certificate,
    key: args.tls?.key,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: speaks === "bytes" ? ["postgresql"] : speaks === "http2" ? ["h2"] : ["http/1.1"],
    ...(args.newest === undefined ? {} : { maxVersion: args.newest }),
  };
  const server = serverOf(speaks, args.tls === undefined ? undefined : secure);
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(port, "0.0.0.0", resolve);
  });
  servers.set(
    port,
    () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  );
}

/** Ends what {@link serveOutside} began, with all of its connections. */
export async function stopOutside({ port }: { port: number }): Promise<void> {
  await servers.get(port)?.();
  servers.delete(port);
}

let isWell = true;

/** What `/healthz` is answered. */
export function setOutsideHealth(args: { well: boolean }): Promise<void> {
  isWell = args.well;
  return Promise.resolve();
}

function serverOf(speaks: "http" | "http2" | "bytes", secure: tls.TlsOptions | undefined): net.Server {
  if (speaks === "bytes") {
    const answer = (socket: net.Socket): void => {
      socket.on("error", () => socket.destroy());
      socket.on("data", () => socket.end(JSON.stringify(seenBy(socket))));
    };
    return secure === undefined ? net.createServer(answer) : tls.createServer(secure, answer);
  }
  const answer = (request: http.IncomingMessage | http2.Http2ServerRequest, response: Answering): void => {
    const seen: OutsideSeen = {
      ...seenBy(request.socket),
      method: request.method ?? "",
      path: request.url ?? "",
      host: String(request.headers[":authority"] ?? request.headers.host ?? ""),
      headers: flat(request.headers),
    };
    response.statusCode = request.url === "/healthz" && !isWell ? 500 : 200;
    response.end(JSON.stringify(seen));
  };
  if (speaks === "http") {
    return secure === undefined ? http.createServer(answer) : tlsHttp(secure, answer);
  }
  return http2.createSecureServer({ ...secure }, answer);
}

interface Answering {
  statusCode: number;
  end(text: string): unknown;
}

/** HTTP/1.1 behind TLS whose handshake is the test's to choose. */
function tlsHttp(secure: tls.TlsOptions, answer: http.RequestListener): net.Server {
  const inner = http.createServer(answer);
  return tls.createServer(secure, (socket) => inner.emit("connection", socket));
}

function seenBy(socket: net.Socket): OutsideSeen {
  const from = (socket.remoteAddress ?? "").replace("::ffff:", "");
  const instance = (socket.localAddress ?? "").replace("::ffff:", "");
  if (!(socket instanceof tls.TLSSocket)) return { instance, from };
  const callerNames = socket.getPeerCertificate().subjectaltname ?? "";
  const handshake = { alpn: socket.alpnProtocol, version: socket.getProtocol(), callerNames };
  return { instance, from, tls: { serverName: socket.servername, ...handshake } };
}
