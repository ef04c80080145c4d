import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { ClusterError } from "../../../../cli/check/cluster/cluster";
import type { Right } from "../../../../cli/check/cluster/cluster";
import type { RecordedCluster } from "./recorded-cluster";
import type { Recorded } from "./recorded";

/** A recorded cluster behind an API server's port. */
export interface Served {
  readonly server: string;
  /** What was asked: method, path with query. */
  readonly requests: readonly string[];
  close(): void;
}

const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/**
 * Serves a recorded cluster's answers over HTTP, as an API server would, but for port-forwards.
 *
 * @param page items of a list at a time
 */
export async function serve(cluster: RecordedCluster, page = 500): Promise<Served> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    void answer(cluster, request, page).then(
      (body) => {
        response.writeHead(body.status, { "content-type": "application/json" }).end(JSON.stringify(body.body));
      },
      (error: unknown) => {
        const status = error instanceof ClusterError ? error.status : 500;
        response
          .writeHead(status)
          .end(JSON.stringify({ kind: "Status", message: String(error instanceof Error ? error.message : error) }));
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    server: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    requests,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  cluster: RecordedCluster,
  request: IncomingMessage,
  page: number,
): Promise<{ status: number; body: unknown }> {
  const url = new URL(request.url ?? "/", "http://cluster");
  const { pathname: path, searchParams: query } = url;
  if (request.method === "POST") {
    const object = JSON.parse(await textOf(request)) as Recorded;
    if (path === REVIEWS) {
      const { resourceAttributes } = object.spec as { resourceAttributes: Right };
      return { status: 201, body: { status: { allowed: await cluster.may(resourceAttributes) } } };
    }
    const refusal = await cluster.refusalOf(path, object);
    return refusal === undefined ? { status: 201, body: object } : { status: 403, body: { message: refusal } };
  }
  const known = cluster.texts.get(`${path}${url.search}`) ?? cluster.texts.get(`${path}${url.search.replace("=", "")}`);
  if (known !== undefined) return known;
  if (!query.has("limit")) return { status: 200, body: await cluster.get(path) };
  const items = await cluster.list(path);
  const from = Number(query.get("continue") ?? "0");
  const next = from + page < items.length ? String(from + page) : "";
  return { status: 200, body: { metadata: { continue: next }, items: items.slice(from, from + page) } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
