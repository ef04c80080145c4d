import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MutualTls } from "./connection.js";
import type { EtcdConnection } from "./settings.js";

/** gRPC's status codes that are told apart (https://grpc.io/docs/guides/status-codes/). */
const UNAUTHENTICATED = 16;

/** etcd answered, but not with success. */
export class EtcdError extends Error {
  override readonly name = "EtcdError";

  constructor(
    /** HTTP status. */
    readonly status: number,
    /** gRPC status. */
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** Told how long each request took and how it ended: HTTP status, or `error` where none came. */
type Observer = (user: string, seconds: number, outcome: string) => void;

const failure = z.object({ code: z.number().default(0), message: z.string().default("") });
const authentication = z.object({ token: z.string().min(1) });

/**
 * etcd's API in the names of its users, through its own gRPC gateway: JSON over HTTPS. A user logs in by a password, because the gateway doesn't pass the names
 * of certificates on (and hears nobody whose certificate has a common name); what etcd then gives is good for some minutes, and is asked for anew when it is
 * refused.
 *
 * @see https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/
 */
export class EtcdClient {
  private readonly tls: MutualTls;
  private readonly tokens = new Map<string, string>();
  private succeeded: number | undefined;

  constructor(
    private readonly settings: EtcdConnection,
    private readonly observe: Observer = () => undefined,
  ) {
    this.tls = new MutualTls(settings);
  }

  /** When etcd last answered with success; milliseconds since 1970. */
  get lastSuccess(): number | undefined {
    return this.succeeded;
  }

  /**
   * One request in the name of a user.
   *
   * @param path below `/v3/`
   * @returns the parsed body
   * @throws EtcdError where etcd refuses; Error where it can't be reached in time or the user's password can't be read
   */
  async request(user: string, path: string, body: unknown): Promise<unknown> {
    const known = this.tokens.get(user);
    try {
      return await this.exchange(user, path, body, known ?? (await this.logIn(user)));
    } catch (error) {
      const isRefused = error instanceof EtcdError && error.code === UNAUTHENTICATED;
      if (known === undefined || (error instanceof EtcdError && !isRefused)) {
        throw error;
      }
      // An etcd that lost its state doesn't even answer to the token of its life before: it waits for the revision that the token names.
      this.tokens.delete(user);
      if (!isRefused) {
        throw error;
      }
      // Its time is over, or the server was started again.
      return this.exchange(user, path, body, await this.logIn(user));
    }
  }

  /** One request in nobody's name: answered where etcd asks for no user, and else refused. */
  requestUnnamed(path: string, body: unknown): Promise<unknown> {
    return this.exchange("", path, body);
  }

  /**
   * Logs a user in, whatever was known before.
   *
   * @throws EtcdError where etcd refuses the password, or asks for no user at all
   */
  async logIn(user: string): Promise<string> {
    const password = await this.password(user);
    const answer = await this.exchange(user, "auth/authenticate", { name: user, password });
    const { token } = authentication.parse(answer);
    this.tokens.set(user, token);
    return token;
  }

  /** A user's password. @throws where there is none */
  async password(user: string): Promise<string> {
    const file = join(this.settings.passwordsDirectory, user);
    const password = (await readFile(file, "utf8")).trim();
    if (!/^[\x21-\x7e]{1,72}$/.test(password)) {
      throw new Error(`${file} holds no password; put the user's into it, 72 characters at most`);
    }
    return password;
  }

  /** Breaks off what is under way, and takes no more. */
  close(): void {
    this.tls.close();
  }

  private async exchange(user: string, path: string, body: unknown, token?: string): Promise<unknown> {
    const start = performance.now();
    let outcome = "error";
    try {
      const headers: Record<string, string> = token === undefined ? {} : { Authorization: token };
      const { status, text } = await this.tls.post(`/v3/${path}`, body, headers);
      outcome = String(status);
      if (status < 200 || status > 299) {
        const { code, message } = failureIn(text);
        throw new EtcdError(status, code, `etcd answered ${outcome} to ${path}: ${message.slice(0, 300)}`);
      }
      this.succeeded = Date.now();
      return JSON.parse(text) as unknown;
    } catch (error) {
      if (error instanceof EtcdError) {
        throw error;
      }
      throw new Error(`etcd at ${this.settings.address.host}, ${path}`, { cause: error });
    } finally {
      this.observe(user, (performance.now() - start) / 1000, outcome);
    }
  }
}

function failureIn(text: string): z.infer<typeof failure> {
  try {
    return failure.parse(JSON.parse(text));
  } catch {
    return { code: 0, message: text.trim() };
  }
}
