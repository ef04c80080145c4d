import * as http from "node:http";
import * as https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

import type { KubeConfig } from "@kubernetes/client-node";

import { ApiError } from "./api-error";
import type { KubeObject } from "./objects";

/** One request to the API server. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path from the server's root, without query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** Default: `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole request; default: those of the client. */
  readonly timeout?: number;
}

/** Open connections at most; the engine runs far fewer operations at once, and each waits for its answer. */
const MAX_SOCKETS = 32;

/** How often a request that the server put off, or that hit a closed connection, is sent again. */
const ATTEMPTS = 8;

/** Milliseconds after which credentials are read anew: tokens in files and from plugins end. */
const CREDENTIALS_LIFE = 60_000;

/** What goes with each request. */
interface Credentials {
  readonly headers: http.OutgoingHttpHeaders;
  readonly auth: string | undefined;
  readonly agent: http.Agent | boolean | undefined;
}

/** JSON over kept-alive connections, with a kubeconfig's credentials. Sends as fast as it is asked to. */
export class ApiClient {
  private readonly server: URL;
  private agent: http.Agent | undefined;
  private credentials: Promise<Credentials> | undefined;
  private credentialsRead = 0;
  /** The client certificate that the agent's connections were made with. */
  private agentIdentity = "";

  constructor(
    private readonly config: KubeConfig,
    private readonly timeout: number | undefined,
  ) {
    const cluster = config.getCurrentCluster();
    if (cluster === null) {
      throw new Error("the kubeconfig names no cluster");
    }
    this.server = new URL(cluster.server);
  }

  /** Sends a request; answers the object that came back. Throws {@link ApiError} when the server refuses. */
  async send(request: ApiRequest): Promise<KubeObject> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { status, headers, text } = await this.exchange(request);
        const retryAfter = Number(headers["retry-after"]);
        const putOff = (status === 429 || status >= 500) && Number.isFinite(retryAfter);
        if (putOff && attempt < ATTEMPTS) {
          await sleep(Math.max(retryAfter, 0.2) * 1000, undefined, { signal: request.signal });
          continue;
        }
        return answer(request, status, text);
      } catch (error) {
        if (!(isClosedConnection(error) && attempt < ATTEMPTS)) {
          throw error;
        }
        await sleep(50 * attempt, undefined, { signal: request.signal });
      }
    }
  }

  /** Closes the connections. */
  close(): void {
    this.agent?.destroy();
  }

  private async exchange(
    request: ApiRequest,
  ): Promise<{ status: number; headers: http.IncomingHttpHeaders; text: string }> {
    const credentials = await this.options();
    const url = new URL(this.server.href.replace(/\/$/, "") + request.path);
    for (const [key, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) {
        url.searchParams.set(key, value);
      }
    }
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const transport = url.protocol === "http:" ? http : https;
    return await new Promise((resolve, reject) => {
      const outgoing = transport.request(
        url,
        {
          auth: credentials.auth,
          agent: credentials.agent,
          method: request.method,
          signal: request.signal,
          headers: {
            ...credentials.headers,
            accept: "application/json",
            "user-agent": "pulumi-kubernetes",
            ...(body === undefined
              ? {}
              : { "content-type": request.contentType ?? "application/json", "content-length": String(body.length) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString("utf8"),
            });
          });
        },
      );
      outgoing.on("error", (error) => {
        reject(Object.assign(error, { reusedSocket: outgoing.reusedSocket }));
      });
      const limit = request.timeout ?? this.timeout;
      if (limit !== undefined) {
        outgoing.setTimeout(limit, () => {
          outgoing.destroy(new Error(`no answer from ${this.server.origin} within ${String(limit / 1000)} s`));
        });
      }
      outgoing.end(body);
    });
  }

  private async options(): Promise<Credentials> {
    if (this.credentials === undefined || Date.now() - this.credentialsRead > CREDENTIALS_LIFE) {
      this.credentialsRead = Date.now();
      this.credentials = this.readCredentials();
    }
    return await this.credentials;
  }

  private async readCredentials(): Promise<Credentials> {
    const options: https.RequestOptions = {};
    await this.config.applyToHTTPSOptions(options);
    // The library makes an agent for each request, without keep-alive; one that goes through a proxy is kept as it is.
    const headers = (options.headers ?? {}) as http.OutgoingHttpHeaders;
    if (this.config.getCurrentCluster()?.proxyUrl) {
      return { headers, auth: options.auth ?? undefined, agent: options.agent };
    }
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
    const identity = JSON.stringify([cert, key]);
    if (this.agent === undefined || identity !== this.agentIdentity) {
      this.agentIdentity = identity;
      this.agent =
        this.server.protocol === "http:"
          ? new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
          : new https.Agent({
              keepAlive: true,
              maxSockets: MAX_SOCKETS,
              ca,
              cert,
              key,
              pfx,
              passphrase,
              ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
              ...(servername === undefined ? {} : { servername }),
            });
    }
    return { headers, auth: options.auth ?? undefined, agent: this.agent };
  }
}

function answer(request: ApiRequest, status: number, text: string): KubeObject {
  const parsed = parse(text);
  if (status >= 200 && status < 300) {
    return parsed;
  }
  const known = Object.keys(parsed).length > 0 ? parsed : { message: text.trim() };
  throw new ApiError(status, known, `${request.method} ${request.path}`);
}

function parse(text: string): KubeObject {
  try {
    return JSON.parse(text) as KubeObject;
  } catch {
    return {};
  }
}

/** A kept connection that the server closed just as it was used again: the request never reached it. */
function isClosedConnection(error: unknown): boolean {
  return (
    error instanceof Error &&
    "reusedSocket" in error &&
    error.reusedSocket === true &&
    "code" in error &&
    (error.code === "ECONNRESET" || error.code === "EPIPE")
  );
}
