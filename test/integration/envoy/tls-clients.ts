/** What agents ask as a peer with a certificate of the test's choice. */
import * as http from "node:http";
import * as http2 from "node:http2";
import * as tls from "node:tls";
import { IDENTITY_TOKEN } from "../../../mesh/wire";
import { collect, flat, TIMEOUT_MS, type Answer, type Handshake } from "./answer";

/** A peer that presents a certificate (or none) and asks over HTTP/2 or HTTP/1.1, whatever the server's own certificate says. */
export function requestTls(args: {
  host: string;
  port: number;
  serverName?: string;
  certificate?: string;
  key?: string;
  /** Identity token, for the header in which sidecars look for it. */
  token?: string;
  alpn?: "h2" | "http/1.1";
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  minVersion?: tls.SecureVersion;
  maxVersion?: tls.SecureVersion;
  /** As OpenSSL writes them. */
  ciphers?: string;
}): Promise<Answer> {
  const { method = "GET", path = "/", alpn = "h2" } = args;
  const headers = { ...tokenHeader(args.token), ...args.headers };
  return new Promise((resolve) => {
    const refuse = (reason: string) => {
      resolve({ refused: reason });
    };
    const socket = tls.connect({
      host: args.host,
      port: args.port,
      servername: args.serverName,
      cert: args.certificate,
      key: args.key,
      ALPNProtocols: [alpn],
      minVersion: args.minVersion,
      maxVersion: args.maxVersion,
      ciphers: args.ciphers,
      rejectUnauthorized: false,
    });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("timeout")));
    socket.on("error", (error: Error) => {
      refuse(error.message);
    });
    socket.on("close", () => {
      refuse("closed");
    });
    socket.on("secureConnect", () => {
      const { host } = args;
      const certificate = socket.getPeerCertificate().fingerprint256;
      const handshake = handshakeOf(socket);
      if (alpn === "http/1.1") {
        const outgoing = http.request({ createConnection: () => socket, host, path, method, headers }, (response) => {
          collect(response, (body) => {
            resolve({ status: response.statusCode, headers: flat(response.headers), body, certificate, handshake });
            socket.destroy();
          });
        });
        outgoing.on("error", (error: Error) => {
          refuse(error.message);
        });
        outgoing.end();
        return;
      }
      const session = http2.connect(`https://${host}`, { createConnection: () => socket });
      session.on("error", (error: Error) => {
        refuse(error.message);
      });
      const stream = session.request({ ":method": method, ":path": path, ...headers });
      let received: http2.IncomingHttpHeaders = {};
      stream.on("response", (incoming) => {
        received = incoming;
      });
      stream.on("error", (error: Error) => {
        refuse(error.message);
      });
      collect(stream, (body) => {
        const status = received[":status"] as number | undefined;
        if (status !== undefined) {
          resolve({ status, headers: flat(received), body, certificate, handshake });
        }
        session.destroy();
      });
    });
  });
}

function handshakeOf(socket: tls.TLSSocket): Handshake {
  const { subject, subjectaltname } = socket.getPeerCertificate();
  return {
    version: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol,
    commonName: String(subject.CN),
    alternativeNames: subjectaltname ?? "",
  };
}

/** A CONNECT over HTTP/2 with a certificate; what a caller's sidecar does for a TCP port. Gives back the status and the first bytes. */
export function connectTunnel(args: {
  host: string;
  port: number;
  serverName: string;
  certificate: string;
  key: string;
  token?: string;
}): Promise<Answer> {
  return new Promise((resolve) => {
    const session = http2.connect(`https://${args.host}:${args.port}`, {
      servername: args.serverName,
      cert: args.certificate,
      key: args.key,
      rejectUnauthorized: false,
    });
    const stream = session.request({
      ":method": "CONNECT",
      ":authority": args.serverName,
      ...tokenHeader(args.token),
    });
    let status: number | undefined;
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    const finish = (answer: Answer) => {
      resolve(answer);
      session.destroy();
    };
    stream.on("data", (chunk: Buffer) => {
      finish({ status, body: chunk.toString() });
    });
    stream.on("end", () => {
      finish({ status });
    });
    stream.on("error", (error: Error) => {
      finish({ refused: error.message });
    });
    session.on("error", (error: Error) => {
      finish({ refused: error.message });
    });
  });
}

const held: http2.ClientHttp2Session[] = [];

/** Opens connections with a certificate, has a request answered on each, and keeps them until {@link releaseTls}. */
export async function holdTls(args: {
  host: string;
  port: number;
  serverName: string;
  certificate: string;
  key: string;
  token?: string;
  connections: number;
}): Promise<void> {
  for (let count = 0; count < args.connections; count++) {
    const session = http2.connect(`https://${args.host}:${String(args.port)}`, {
      servername: args.serverName,
      cert: args.certificate,
      key: args.key,
      rejectUnauthorized: false,
    });
    held.push(session);
    await new Promise<void>((resolve, reject) => {
      session.on("error", reject);
      const stream = session.request({ ":path": "/", ...tokenHeader(args.token) });
      stream.on("error", reject);
      collect(stream, () => {
        resolve();
      });
    });
  }
}

/** Closes what {@link holdTls} opened. */
export function releaseTls(): Promise<void> {
  held.splice(0).forEach((session) => {
    session.destroy();
  });
  return Promise.resolve();
}

function tokenHeader(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { [IDENTITY_TOKEN.header]: token };
}
