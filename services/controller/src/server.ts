import { createServer, type Server } from "node:http";
import { hostnameOf } from "../../../mesh/names.js";
import { WELL_KNOWN } from "../../../mesh/wire.js";
import { health, status, type Parts } from "./status.js";
import { listening } from "./listen.js";
import { describe, type Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import { answerApi, isApiPath, type ApiParts } from "./overview/api.js";
import { PAGE_POLICY, statusPage } from "./page/page.js";
import { targets } from "./targets.js";

/** Names under which people and services ask for it. A page that a browser was led to under another name may not read what only the mesh may. */
const HOSTS: readonly string[] = [hostnameOf(WELL_KNOWN.controller), "localhost", "127.0.0.1", "[::1]"];

/** Sent with every answer: none is to be kept, shown in another page, or taken for something else than it says. */
const HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/**
 * Serves `GET /health` and `GET /readyz` (200 or 503 with the reasons), `GET /healthz` (200 as long as it answers at all), `GET /status` (JSON), `GET /metrics` (Prometheus' text format),
 * `GET /targets/<zone>` (what Prometheus is to scrape) `GET /api/v1/…` (how the mesh is, JSON) and
 * `GET /` (the same as a page).
 *
 * @returns once it listens
 * @throws where the address can't be bound
 */
export function serve(
  address: string,
  port: number,
  parts: Parts & { readonly api: ApiParts },
  metrics: Metrics,
  log: Log,
): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (code: number, type: string, body: string): void => {
      response.writeHead(code, { "Content-Type": type, ...HEADERS });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    const json = (code: number, body: unknown): void => {
      answer(code, "application/json; charset=utf-8", `${JSON.stringify(body, null, 2)}\n`);
    };
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      json(405, { error: "only GET and HEAD are answered" });
      return;
    }
    const zone = parts.views.zones.find(({ name }) => path === `/targets/${name}`);
    if (zone !== undefined) {
      const services = parts.views.services.find(({ namespace }) => namespace === zone.pods.namespace);
      // Before the first lists, an answer would say that there are none; where there is no answer, Prometheus keeps the last one.
      if (services?.synced === true && zone.pods.synced) {
        json(200, targets(zone, services));
      } else {
        json(503, { error: "pods and services were never listed yet" });
      }
      return;
    }
    if ((path === "/" || isApiPath(path)) && !isOwnHost(request.headers.host)) {
      json(421, { error: `ask under one of the names ${HOSTS.join(", ")}` });
      return;
    }
    if (path === "/") {
      response.setHeader("Content-Security-Policy", PAGE_POLICY);
      answer(200, "text/html; charset=utf-8", statusPage(parts.api.overview(), parts.api.history));
      return;
    }
    if (isApiPath(path)) {
      const { code, body } = answerApi(path, parts.api);
      json(code, body);
      return;
    }
    switch (path) {
      case "/healthz":
        answer(200, "text/plain; charset=utf-8", "ok\n");
        return;
      case "/health":
      case "/readyz": {
        const result = health(parts, Date.now());
        json(result.healthy ? 200 : 503, result);
        return;
      }
      case "/status":
        json(200, status(parts, Date.now()));
        return;
      case "/metrics":
        metrics.text().then(
          (text) => {
            answer(200, metrics.contentType, text);
          },
          (error: unknown) => {
            log.error("metrics failed", { error: describe(error) });
            json(500, { error: "metrics failed" });
          },
        );
        return;
      default:
        json(404, { error: "there are /, /health, /healthz, /readyz, /status, /metrics, /targets/<zone> and /api/v1" });
    }
  });
  return listening(server, port, address);
}

function isOwnHost(host: string | undefined): boolean {
  return HOSTS.includes((host ?? "").replace(/:[0-9]+$/, "").toLowerCase());
}
