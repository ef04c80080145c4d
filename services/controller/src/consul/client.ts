import { readFile } from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import { join } from "node:path";
import type { ZoneName } from "../../../../mesh/model.js";
import { AnswerTooLong, exchange, type Answer } from "../registry/exchange.js";
import type { RequestObserver } from "../registry/registry.js";
import type { ConsulSettings } from "./settings.js";

/** Connections kept open; more requests wait for a free one. */
const CONNECTIONS = 8;

/** Consul answered, but not with success. */
export class ConsulError extends Error {
  override readonly name = "ConsulError";

  constructor(
    readonly status: number,
    /** What it said. */
    readonly reason: string,
    request: string,
  ) {
    super(`Consul answered ${String(status)} to ${request}: ${reason}`);
  }
}

/** There is no token to show. */
export class NoTokenError extends Error {
  override readonly name = "NoTokenError";
}

/** What Consul told. */
export interface Told {
  /** The parsed body. */
  readonly value: unknown;
  readonly bytes: number;
}

interface Asked<Name> {
  /** Default: no token is shown. */
  readonly name?: Name;
  /** Default: that of the configured address. */
  readonly host?: string;
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly body?: unknown;
  readonly limit?: number;
}

/**
 * Consul's HTTP API with a token per zone, or by whatever else files of tokens are named for. Token and CA files are read when they are used, so that a rotated one counts at once;
 * connections are kept open, and opened anew when the CA file has changed.
 */
export class ConsulClient<Name extends string = ZoneName> {
  private agent: http.Agent | undefined;
  private ca: string | undefined;
  private succeeded: number | undefined;
  private closed = false;

  constructor(
    private readonly config: ConsulSettings,
    private readonly observe: RequestObserver<Name> = () => undefined,
  ) {}

  /** When Consul last answered with success; milliseconds since 1970. */
  get lastSuccess(): number | undefined {
    return this.succeeded;
  }

  /** Of the configured address. */
  get host(): string {
    return this.config.address.hostname;
  }

  /**
   * One request in the name of a zone, or of who else has a token.
   *
   * @param path with its query, from `/v1/` on
   * @returns the parsed body
   * @throws ConsulError where Consul refuses; NoTokenError where there is no token; Error where Consul can't be reached in time
   */
  async request(name: Name, method: "GET" | "PUT", path: string, body?: unknown): Promise<unknown> {
    return (await this.ask({ name, method, path, body })).value;
  }

  /**
   * What Consul tells at a path, and in how many bytes.
   *
   * @param limit bytes that are read at most
   * @throws as `request`; AnswerTooLong where it tells more
   */
  read(name: Name, path: string, limit: number): Promise<Told> {
    return this.ask({ name, method: "GET", path, limit });
  }

  /**
   * What one of Consul's servers tells whoever shows no token.
   *
   * @param host of the server, that proves itself as the one at the configured address does
   * @throws as `read`
   */
  async readOpenly(host: string, path: string, limit: number): Promise<Told> {
    // What is told of a token to whoever is served by it has its secret.
    if (this.config.address.protocol === "http:" && host !== this.host)
      throw new Error(`${host} is asked by https alone`);
    return this.ask({ host, method: "GET", path, limit });
  }

  private async ask(asked: Asked<Name>): Promise<Told> {
    const { name, host = this.host, method, path } = asked;
    if (this.closed) {
      throw new Error("the connection to Consul is closed");
    }
    const token = name === undefined ? undefined : await this.token(name);
    const agent = await this.connections();
    const start = performance.now();
    let outcome = "error";
    try {
      const { status, text } = await this.exchange(agent, token, { ...asked, host });
      outcome = String(status);
      if (status < 200 || status > 299) {
        throw new ConsulError(status, text.trim().slice(0, 300), `${method} ${path}`);
      }
      this.succeeded = Date.now();
      return { value: JSON.parse(text) as unknown, bytes: Buffer.byteLength(text) };
    } catch (error) {
      if (error instanceof ConsulError || error instanceof AnswerTooLong) {
        throw error;
      }
      throw new Error(`Consul at ${host}:${this.config.address.port}, ${method} ${path}`, { cause: error });
    } finally {
      this.observe(name ?? "none", (performance.now() - start) / 1000, outcome);
    }
  }

  /** Breaks off what is under way, and takes no more. */
  close(): void {
    this.closed = true;
    this.agent?.destroy();
    this.agent = undefined;
  }

  private async token(name: Name): Promise<string> {
    const file = join(this.config.tokensDirectory, name);
    const token = (await readToken(file)).trim();
    // A header with a line break would be refused by Node with the token in the message.
    if (!/^[\x21-\x7e]{1,128}$/.test(token)) {
      throw new NoTokenError(`${file} holds no Consul token; put the token of ${name} into it`);
    }
    return token;
  }

  private async connections(): Promise<http.Agent> {
    const options = { keepAlive: true, maxSockets: CONNECTIONS, timeout: 60_000 };
    if (this.config.caFile === undefined) {
      // Configuration admits this on loopback only.
      return (this.agent ??= new http.Agent(options));
    }
    const ca = await readFile(this.config.caFile, "utf8");
    if (this.agent === undefined || ca !== this.ca) {
      this.agent?.destroy();
      this.ca = ca;
      this.agent = new https.Agent({ ...options, ca, servername: this.config.serverName, minVersion: "TLSv1.3" });
    }
    return this.agent;
  }

  private exchange(
    agent: http.Agent,
    token: string | undefined,
    { host, method, path, body, limit }: Omit<Asked<Name>, "name"> & { readonly host: string },
  ): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(token === undefined ? {} : { "X-Consul-Token": token }),
      ...(payload === undefined ? {} : { "Content-Type": "application/json" }),
    };
    const url = new URL(path, this.config.address);
    url.hostname = host;
    const { request } = url.protocol === "https:" ? https : http;
    return exchange(() => request(url, { agent, method, headers }), payload, limit);
  }
}

async function readToken(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new NoTokenError(error instanceof Error ? error.message : file, { cause: error });
  }
}

/** Whether Consul refused: 401 where a server asks for no token at all. */
export function isRefusal(error: unknown): error is ConsulError {
  return error instanceof ConsulError && (error.status === 401 || error.status === 403);
}
