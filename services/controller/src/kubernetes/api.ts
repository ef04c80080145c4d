import * as http from "node:http";
import * as https from "node:https";
import { KubeConfig } from "@kubernetes/client-node";

/** Milliseconds in which a request that is no watch must be answered completely. */
const REQUEST_TIMEOUT = 15_000;
/** Characters that one line of a watch may have; etcd holds no object of this size. */
const LINE_LIMIT = 8 * 1024 * 1024;

/** The API server answered, but not with success. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Credentials and address: those of `kubeconfig`, or of the pod's own service account. */
export function loadKubeConfig(kubeconfig: string | undefined): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) {
    config.loadFromCluster();
  } else {
    config.loadFromFile(kubeconfig);
  }
  return config;
}

/** How a request is opened. */
interface Opening {
  /** Milliseconds until the answer must begin, or (without `idle`) be complete. */
  readonly deadline: number;
  /** Milliseconds of silence after which a stream is given up. */
  readonly idle?: number;
  readonly accept?: string | undefined;
  readonly sent?: Sent;
}

/** A request with a body. */
interface Sent {
  readonly method: "POST" | "PATCH" | "DELETE";
  readonly contentType: string;
  readonly body: string;
}

/** When an answer was under way, by this process's clock, and what the server's said. Milliseconds since 1970. */
export interface AnswerTimes {
  readonly sent: number;
  readonly received: number;
  /** The server's `Date`: whole seconds. */
  readonly date: number;
}

/**
 * Reads from the Kubernetes API, and writes there.
 *
 * The client library gives address, trust and credentials (a service account's token is read again as it rotates); requests are
 * made here, because the library's watch has no time-outs and swallows what its callback throws.
 */
export class KubernetesApi {
  /** @param answered told of each answer that bears a date */
  constructor(
    private readonly config: KubeConfig,
    private readonly answered: (times: AnswerTimes) => void = () => undefined,
  ) {}

  /**
   * @param path with its query
   * @param accept media type of the answer. Default: JSON
   * @throws ApiError where the server refuses; Error where it can't be reached in time
   */
  async get(path: string, signal: AbortSignal, accept?: string): Promise<unknown> {
    const response = await this.open(path, { deadline: REQUEST_TIMEOUT, accept }, signal);
    return JSON.parse(await text(response)) as unknown;
  }

  /**
   * Creates an object in the collection at `path`.
   *
   * @returns the object as it was created
   * @throws as `get`; ApiError 409 where it exists
   */
  async create(path: string, object: unknown, signal: AbortSignal): Promise<unknown> {
    return this.send(path, { method: "POST", contentType: "application/json", body: JSON.stringify(object) }, signal);
  }

  /**
   * Changes some fields of the object at `path`, by a merge patch (RFC 7396).
   *
   * @returns the object as it is then
   * @throws as `get`; ApiError 404 where there is none, 409 where `metadata.resourceVersion` is among the fields and the object has another
   */
  async patch(path: string, fields: unknown, signal: AbortSignal): Promise<unknown> {
    const contentType = "application/merge-patch+json";
    return this.send(path, { method: "PATCH", contentType, body: JSON.stringify(fields) }, signal);
  }

  /**
   * Deletes the object at `path`, and no other of its name that came after it.
   *
   * @throws as `get`; ApiError 404 where there is none, 409 where another has its name
   */
  async remove(path: string, uid: string, signal: AbortSignal): Promise<void> {
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid } };
    await this.send(path, { method: "DELETE", contentType: "application/json", body: JSON.stringify(body) }, signal);
  }

  private async send(path: string, sent: Sent, signal: AbortSignal): Promise<unknown> {
    return JSON.parse(await text(await this.open(path, { deadline: REQUEST_TIMEOUT, sent }, signal))) as unknown;
  }

  /**
   * Reads a stream of lines until the server ends it.
   *
   * @param idle milliseconds without a byte after which the connection is taken for dead
   * @throws as `get`, where the connection breaks or falls silent, and what `line` throws
   */
  async lines(
    path: string,
    idle: number,
    signal: AbortSignal,
    line: (text: string) => void,
    accept?: string,
  ): Promise<void> {
    const response = await this.open(path, { deadline: idle, idle, accept }, signal);
    response.setEncoding("utf8");
    let rest = "";
    // Leaving the loop by an exception destroys the response, and with it the connection.
    for await (const chunk of response as AsyncIterable<string>) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      if (rest.length > LINE_LIMIT) {
        throw new Error(`a line of more than ${String(LINE_LIMIT)} characters in ${path}`);
      }
      for (const part of parts) {
        if (part !== "") {
          line(part);
        }
      }
    }
    if (rest !== "") {
      throw new Error(`the connection broke in the middle of a line of ${path}`);
    }
  }

  /** Sends the request and resolves with a successful response whose body is not read yet. */
  private async open(
    path: string,
    { deadline, idle, accept, sent }: Opening,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const server = this.config.getCurrentCluster()?.server;
    if (server === undefined) {
      throw new Error("no Kubernetes API server is configured");
    }
    const url = new URL(server + path);
    const method = sent?.method ?? "GET";
    const options: https.RequestOptions = {
      method,
      headers: {
        ...(accept === undefined ? {} : { Accept: accept }),
        ...(sent === undefined
          ? {}
          : { "Content-Type": sent.contentType, "Content-Length": Buffer.byteLength(sent.body) }),
      },
    };
    await this.config.applyToHTTPSOptions(options);

    const begun = Date.now();
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = (url.protocol === "https:" ? https : http).request(url, { ...options, signal });
      const timer = setTimeout(() => request.destroy(new Error(`no answer in ${String(deadline / 1000)} s`)), deadline);
      // A watch has its idle limit instead of a deadline, once it has begun.
      request.once("response", (message) => {
        if (idle === undefined) {
          message.once("close", () => {
            clearTimeout(timer);
          });
        } else {
          clearTimeout(timer);
          request.setTimeout(idle, () =>
            message.destroy(new Error(`the watch of ${url.pathname} was silent for ${String(idle / 1000)} s`)),
          );
        }
        resolve(message);
      });
      request.once("error", (error) => {
        clearTimeout(timer);
        reject(new Error(`Kubernetes API at ${url.host}, ${method} ${url.pathname}`, { cause: error }));
      });
      request.end(sent?.body);
    });
    const date = Date.parse(response.headers.date ?? "");
    if (!Number.isNaN(date)) {
      this.answered({ sent: begun, received: Date.now(), date });
    }
    const status = response.statusCode ?? 0;
    if (status !== 200 && status !== 201) {
      throw new ApiError(
        status,
        `Kubernetes API answered ${String(status)} to ${method} ${url.pathname}: ${statusMessage(await text(response))}`,
      );
    }
    return response;
  }
}

async function text(response: http.IncomingMessage): Promise<string> {
  let body = "";
  response.setEncoding("utf8");
  for await (const chunk of response as AsyncIterable<string>) {
    body += chunk;
  }
  return body;
}

/** The message of a `Status` object; else the beginning of the body. */
function statusMessage(body: string): string {
  try {
    const status = JSON.parse(body) as { message?: unknown } | null;
    if (typeof status?.message === "string") {
      return status.message.slice(0, 300);
    }
  } catch {
    // No JSON: a proxy's page, perhaps.
  }
  return body.trim().slice(0, 300);
}
