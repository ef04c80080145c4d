import type { KubeConfig } from "@kubernetes/client-node";
import * as http from "node:http";
import * as https from "node:https";
import { ClusterError, UnreachableError } from "./cluster";
import type { ClockReading, Cluster, HttpAnswer, PodRef, Right } from "./cluster";
import { askPod } from "./forward";

/** Milliseconds for one answer. */
const PATIENCE = 10_000;
/** Connections to the API server at once. */
const CONNECTIONS = 16;
/** Items of a list at a time. */
const PAGE = 500;

interface Request {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

interface Answer extends HttpAnswer {
  readonly headers: http.IncomingHttpHeaders;
}

/** A cluster by its API server. It sends GET, dry runs, and reviews of rights, which are stored nowhere. */
export class ApiCluster implements Cluster {
  private readonly server: string;
  private options: Promise<https.RequestOptions> | undefined;

  constructor(
    private readonly config: KubeConfig,
    private readonly patience = PATIENCE,
  ) {
    this.server = (config.getCurrentCluster()?.server ?? "").replace(/\/$/, "");
  }

  async get(path: string): Promise<unknown> {
    return parsed(await this.send({ method: "GET", path }), path);
  }

  async list(path: string): Promise<readonly unknown[]> {
    const items: unknown[] = [];
    let next: string | undefined = "";
    while (next !== undefined) {
      const query: Record<string, string> = { limit: String(PAGE), ...(next === "" ? {} : { continue: next }) };
      const page = parsed(await this.send({ method: "GET", path, query }), path) as {
        readonly items?: readonly unknown[];
        readonly metadata?: { readonly continue?: string };
      };
      items.push(...(page.items ?? []));
      next = page.metadata?.continue === "" ? undefined : page.metadata?.continue;
    }
    return items;
  }

  async text(path: string): Promise<HttpAnswer> {
    const [file = "", search = ""] = path.split("?");
    const query = Object.fromEntries(new URLSearchParams(search));
    const { status, body } = await this.send({ method: "GET", path: file, query });
    return { status, body };
  }

  async refusalOf(path: string, object: object): Promise<string | undefined> {
    const answer = await this.send({ method: "POST", path, query: { dryRun: "All" }, body: object });
    if (answer.status < 300) return undefined;
    const message = messageOf(answer);
    // These say that the question was refused, and not the object.
    const asked =
      (answer.status === 403 || answer.status === 422 || answer.status === 400) && !isRightsRefusal(message);
    if (asked && !message.includes("does not support dry run")) return message;
    throw new ClusterError(answer.status, message);
  }

  async may(right: Right): Promise<boolean> {
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: right },
    };
    const review = parsed(await this.send({ method: "POST", path, body }), path) as {
      readonly status?: { readonly allowed?: boolean };
    };
    return review.status?.allowed === true;
  }

  async clock(): Promise<ClockReading> {
    const asked = new Date();
    const { headers } = await this.send({ method: "GET", path: "/version" });
    const answered = new Date();
    const server = new Date(headers.date ?? "");
    if (Number.isNaN(server.getTime())) throw new ClusterError(200, "the API server's answers bear no date");
    return { server, asked, answered };
  }

  async log({ namespace, name }: PodRef, container: string, previous: boolean): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/log`;
    const query = { container, tailLines: "5", ...(previous ? { previous: "true" } : {}) };
    const answer = await this.send({ method: "GET", path, query });
    if (answer.status >= 300) throw new ClusterError(answer.status, messageOf(answer));
    return answer.body;
  }

  async ask(pod: PodRef, port: number, path: string): Promise<HttpAnswer> {
    return askPod(this.config, pod, port, path, this.patience);
  }

  /** @throws UnreachableError where there is no answer */
  private async send({ method, path, query = {}, body }: Request): Promise<Answer> {
    const options = await (this.options ??= this.credentials());
    const url = new URL(this.server + path);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const transport = url.protocol === "http:" ? http : https;
    const headers = {
      ...(options.headers as http.OutgoingHttpHeaders | undefined),
      // Keys are of a type of their own.
      accept: "application/json, */*",
      ...(content === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(content.length) }),
    } as http.OutgoingHttpHeaders;
    return new Promise((resolve, reject) => {
      const unreachable = (error: Error) => {
        reject(new UnreachableError(`${this.server} gives no answer (${error.message})`));
      };
      const request = transport.request(url, { ...options, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", unreachable);
        response.on("end", () => {
          const { statusCode: status = 0, headers: received } = response;
          resolve({ status, headers: received, body: Buffer.concat(chunks).toString("utf8") });
        });
      });
      request.on("error", unreachable);
      request.setTimeout(this.patience, () => {
        request.destroy(new Error(`nothing within ${String(this.patience / 1000)} s`));
      });
      request.end(content);
    });
  }

  /** With one agent for all requests, which keeps its connections. */
  private async credentials(): Promise<https.RequestOptions> {
    const options: https.RequestOptions = {};
    try {
      await this.config.applyToHTTPSOptions(options);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UnreachableError(`the kubeconfig's credentials can't be had (${reason})`);
    }
    if (this.config.getCurrentCluster()?.proxyUrl) return options;
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername, ...rest } = options;
    const agent = this.server.startsWith("http:")
      ? new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS })
      : new https.Agent({
          keepAlive: true,
          maxSockets: CONNECTIONS,
          ca,
          cert,
          key,
          pfx,
          passphrase,
          rejectUnauthorized,
          servername,
        });
    return { ...rest, agent };
  }
}

/** RBAC's own words: whoever asks may not even ask by a dry run. */
function isRightsRefusal(message: string): boolean {
  return /cannot create resource/.test(message);
}

function parsed(answer: Answer, path: string): unknown {
  if (answer.status >= 300) throw new ClusterError(answer.status, messageOf(answer));
  try {
    return JSON.parse(answer.body) as unknown;
  } catch {
    throw new ClusterError(answer.status, `${path} was answered by something else than JSON`);
  }
}

function messageOf({ status, body }: HttpAnswer): string {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // Not every refusal is Kubernetes' own.
  }
  return `${String(status)} ${body.trim().slice(0, 200)}`.trim();
}
