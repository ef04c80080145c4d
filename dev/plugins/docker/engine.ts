import * as http from "node:http";
import * as https from "node:https";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";

import { parseMessage, type EngineMessage } from "./messages";

export interface EndpointTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Where a Docker engine listens. */
export interface Endpoint {
  /** As it was given, for messages. */
  readonly host: string;
  readonly socketPath?: string;
  readonly address?: { readonly hostname: string; readonly port: number };
  readonly tls?: EndpointTls;
}

/** What the engine says of an image (`GET /images/{name}/json`). */
export interface ImageInspection {
  readonly Id: string;
  readonly Os: string;
  readonly Architecture: string;
  readonly RepoDigests: readonly string[];
}

interface EngineRequest {
  readonly method: "GET" | "POST";
  /** With its query, without a version: the engine takes its newest. */
  readonly path: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: Readable;
  readonly signal: AbortSignal;
}

/** The few calls of the Docker engine's HTTP API that building and pushing take. */
export class Engine {
  constructor(private readonly endpoint: Endpoint) {}

  /** Platform for which the engine builds by itself, such as `linux/amd64`. */
  async platform(signal: AbortSignal): Promise<string> {
    const version = (await this.json({ method: "GET", path: "/version", signal })) as { Os: string; Arch: string };
    return `${version.Os}/${version.Arch}`;
  }

  async inspect(image: string, signal: AbortSignal): Promise<ImageInspection> {
    const answer = (await this.json({ method: "GET", path: `/images/${image}/json`, signal })) as Omit<
      ImageInspection,
      "RepoDigests"
    > & { readonly RepoDigests: readonly string[] | null };
    // Engines write an empty list as null.
    return { ...answer, RepoDigests: answer.RepoDigests ?? [] };
  }

  /**
   * Sends a request whose answer is a stream of messages, and hands on each as it comes.
   * @throws Error with the engine's message, where it refused the request
   */
  async stream(request: Omit<EngineRequest, "method">, onMessage: (message: EngineMessage) => void): Promise<void> {
    const response = await this.send({ ...request, method: "POST" });
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      if (line.trim() !== "") {
        onMessage(parseMessage(line));
      }
    }
    if (request.signal.aborted) {
      throw new Error("cancelled");
    }
    if (!response.complete) {
      throw new Error(`the Docker engine at ${this.endpoint.host} broke off its answer`);
    }
  }

  private async json(request: EngineRequest): Promise<unknown> {
    return JSON.parse(await text(await this.send(request)));
  }

  /** The answer to a request, its body still to be read; any status but 2xx is an error. */
  private async send(request: EngineRequest): Promise<http.IncomingMessage> {
    const { socketPath, address, tls } = this.endpoint;
    const options: https.RequestOptions = {
      method: request.method,
      path: request.path,
      headers: request.headers,
      signal: request.signal,
      ...(address === undefined ? { socketPath } : { hostname: address.hostname, port: address.port }),
      ...tls,
    };
    const call = tls === undefined ? http.request(options) : https.request(options);
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      // An engine that refuses early answers before the body is through: the first to come is what counts.
      call.once("response", resolve);
      call.on("error", (error) => {
        reject(this.unreachable(error));
      });
      if (request.body === undefined) {
        call.end();
        return;
      }
      request.body.once("error", (error) => {
        reject(new Error(`what was to be sent can't be read: ${error.message}`, { cause: error }));
      });
      pipeline(request.body, call).catch(() => undefined);
    });
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) {
      throw new Error(refusal(status, await text(response)));
    }
    return response;
  }

  private unreachable(error: Error): Error {
    if (error.name === "AbortError") {
      return new Error("cancelled");
    }
    return new Error(
      `no Docker engine answers at ${this.endpoint.host} (${error.message}); start it, or set the provider's host`,
      { cause: error },
    );
  }
}

/** The engine puts its reason into `{"message": …}`. */
function refusal(status: number, body: string): string {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    if (typeof message === "string" && message !== "") {
      return message.trim();
    }
  } catch {
    // Not the engine itself, perhaps a proxy: its own words follow.
  }
  return `the Docker engine answered ${String(status)} ${body.trim()}`.trim();
}
