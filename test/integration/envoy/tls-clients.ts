/** What agents ask as a peer with a certificate of the test's choice. */
import * as http from "node:http";
import * as http2 from "node:http2";
import * as tls from "node:tls";
import { collect, flat, TIMEOUT_MS, type Answer } from "./answer";

/** A peer that presents a certificate (or none) and asks over HTTP/2 or HTTP/1.1, whatever the server's own certificate says. */
export function requestTls(args: {
  host: string;
  port: number;
  serverName?: string;
  certificate?: string;
  key?: string;
  alpn?: "h2" | "http/1.1";
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  maxVersion?: tls.SecureVersion;
}): Promise<Answer> {
  const { method = "GET", path = "/", alpn = "h2", headers = {} } = args;
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
      maxVersion: args.maxVersion,
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
      if (alpn === "http/1.1") {
        const outgoing = http.request({ createConnection: () => socket, host, path, method, headers }, (response) => {
          collect(response, (body) => {
            resolve({ status: response.statusCode, headers: flat(response.headers), body, certificate });
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
          resolve({ status, headers: flat(received), body, certificate });
        }
        session.destroy();
      });
    });
  });
}

/** A CONNECT over HTTP/2 with a certificate; what a caller's sidecar does for a TCP port. Gives back the status and the first bytes. */
export function connectTunnel(args: {
  host: string;
  port: number;
  serverName: string;
  certificate: string;
  key: string;
}): Promise<Answer> {
  return new Promise((resolve) => {
    const session = http2.connect(`https://${args.host}:${args.port}`, {
      servername: args.serverName,
      cert: args.certificate,
      key: args.key,
      rejectUnauthorized: false,
    });
    const stream = session.request({ ":method": "CONNECT", ":authority": args.serverName });
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
    stream.on("error", (error: Error) => {
      finish({ refused: error.message });
    });
    session.on("error", (error: Error) => {
      finish({ refused: error.message });
    });
  });
}
