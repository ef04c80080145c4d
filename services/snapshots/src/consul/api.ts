import { createReadStream, createWriteStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { ConsulError } from "../../../controller/src/consul/client.js";
import type { ConsulSettings } from "../config.js";

/** Milliseconds in which a question is answered, and without a byte after which a snapshot under way is given up. */
const PATIENCE = { question: 5_000, silence: 60_000 } as const;

/**
 * What Consul's leader says while the last thing it was told is who its servers are: after a restart, or a restored snapshot. The next change of its state ends that, and
 * its own servers make one a minute at least.
 */
const NOT_NOW = /cannot take snapshot now/;
/** Milliseconds for which that is waited for, and between two tries. */
const NOT_NOW_PATIENCE = { most: 120_000, between: 1_000 } as const;

/** What of Consul's HTTP API snapshots need (https://developer.hashicorp.com/consul/api-docs/snapshot). Every request has a connection of its own. */
export class ConsulApi {
  constructor(private readonly settings: ConsulSettings) {}

  /** `<address>:<port>` of the leader; the empty text while there is none. It needs no token. */
  async leader(): Promise<string> {
    const answer: unknown = JSON.parse(await this.ask("/v1/status/leader"));
    return typeof answer === "string" ? answer : "";
  }

  /** Whether Consul knows a token. @throws where it gives no answer to that */
  async knows(token: string): Promise<boolean> {
    try {
      await this.ask("/v1/acl/token/self", token);
      return true;
    } catch (error) {
      if (error instanceof ConsulError && (error.status === 403 || error.status === 401)) return false;
      throw error;
    }
  }

  /** Writes a snapshot of the whole state into a new file that nobody else reads, down to the disk. */
  async save(file: string, token: string): Promise<void> {
    const response = await this.snapshot(token);
    await pipeline(response, createWriteStream(file, { flags: "wx", mode: 0o600, flush: true }));
  }

  /** Puts a snapshot in the place of the whole state. */
  async restore(file: string, token: string): Promise<void> {
    const { size } = await stat(file);
    const response = await this.send(
      "PUT",
      "/v1/snapshot",
      token,
      PATIENCE.silence,
      (sent) =>
        void pipeline(createReadStream(file), sent).catch((error: unknown) => {
          sent.destroy(error instanceof Error ? error : new Error(String(error)));
        }),
      { "Content-Length": size, "Content-Type": "application/octet-stream" },
    );
    await text(response);
  }

  private async snapshot(token: string): Promise<IncomingMessage> {
    const end = Date.now() + NOT_NOW_PATIENCE.most;
    for (;;) {
      try {
        return await this.send("GET", "/v1/snapshot", token, PATIENCE.silence, (sent) => sent.end());
      } catch (error) {
        if (!(error instanceof ConsulError && NOT_NOW.test(error.message)) || Date.now() > end) throw error;
      }
      await sleep(NOT_NOW_PATIENCE.between);
    }
  }

  private async ask(path: string, token?: string): Promise<string> {
    return text(await this.send("GET", path, token, PATIENCE.question, (sent) => sent.end()));
  }

  /** @throws ConsulError where the answer is no success; Error where there is none */
  private async send(
    method: "GET" | "PUT",
    path: string,
    token: string | undefined,
    silence: number,
    write: (sent: ReturnType<typeof request>) => void,
    headers: Readonly<Record<string, string | number>> = {},
  ): Promise<IncomingMessage> {
    const { address, caFile, serverName } = this.settings;
    const ca = await readFile(caFile, "utf8");
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(new URL(path, address), {
        method,
        agent: false,
        ca,
        servername: serverName,
        minVersion: "TLSv1.3",
        timeout: silence,
        headers: { ...headers, ...(token === undefined ? {} : { "X-Consul-Token": token }) },
      });
      sent.once("response", resolve);
      sent.once("error", (error) => {
        reject(new Error(`Consul at ${address.host}, ${method} ${path}`, { cause: error }));
      });
      sent.on("timeout", () => sent.destroy(new Error(`nothing within ${String(silence / 1000)} s`)));
      write(sent);
    });
    const { statusCode = 0 } = response;
    if (statusCode === 200) return response;
    // What Consul says of a refusal names the accessor at most, never the token itself.
    const said = (await text(response)).trim().slice(0, 300);
    throw new ConsulError(statusCode, said, `${method} ${path}`);
  }
}
