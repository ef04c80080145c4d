import { createServer, type Server } from "node:http";
import { listening } from "../listen.js";
import type { IssuerMetrics } from "./metrics.js";

/** How an issuer is, for probes and for people. */
export interface IssuerHealth {
  readonly healthy: boolean;
  /** Whether it issues, or another process of its name does. */
  readonly leading: boolean;
  readonly state: string;
  readonly reasons: readonly string[];
  /** Milliseconds by which the clock is ahead of the API server's. */
  readonly clockSkew?: number;
}

/**
 * Answers `GET /health` and `/readyz` (200, or 503 with the reasons), `/healthz` and `/metrics`, and nothing else.
 *
 * @returns once it listens
 */
export function serveIssuer(
  { address, port }: { readonly address: string; readonly port: number },
  health: () => IssuerHealth,
  metrics: IssuerMetrics,
): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    const answer = (code: number, type: string, body: string): void => {
      response.writeHead(code, { "Content-Type": type, "Cache-Control": "no-store" });
      response.end(body);
    };
    const path = request.method === "GET" ? (request.url ?? "").split("?")[0] : undefined;
    if (path === "/healthz") {
      answer(200, "text/plain; charset=utf-8", "ok\n");
    } else if (path === "/health" || path === "/readyz") {
      const said = health();
      answer(said.healthy ? 200 : 503, "application/json; charset=utf-8", `${JSON.stringify(said, null, 2)}\n`);
    } else if (path === "/metrics") {
      metrics.text().then(
        (text) => {
          answer(200, metrics.contentType, text);
        },
        () => {
          answer(500, "text/plain; charset=utf-8", "metrics failed\n");
        },
      );
    } else {
      answer(404, "text/plain; charset=utf-8", "there are /health, /readyz, /healthz and /metrics\n");
    }
  });
  return listening(server, port, address);
}
