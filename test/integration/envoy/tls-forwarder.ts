import * as net from "node:net";
import * as tls from "node:tls";

/** Takes plain connections on the loopback and carries each on by mutual TLS, as a caller's sidecar does it: for tools that have no certificate. */
export async function serveForwarder(args: {
  port: number;
  host: string;
  serverName: string;
  certificate: string;
  key: string;
}): Promise<void> {
  const server = net.createServer((plain) => {
    const secured = tls.connect({
      host: args.host,
      port: 15001,
      servername: args.serverName,
      cert: args.certificate,
      key: args.key,
      ALPNProtocols: ["h2"],
      // Who the callee is is tried elsewhere.
      rejectUnauthorized: false,
    });
    plain.setNoDelay(true);
    secured.setNoDelay(true);
    plain.pipe(secured).pipe(plain);
    const end = () => {
      plain.destroy();
      secured.destroy();
    };
    for (const socket of [plain, secured]) {
      socket.on("error", end);
      socket.on("close", end);
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(args.port, "127.0.0.1", resolve);
  });
}
