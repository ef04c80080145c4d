import { readFile } from "node:fs/promises";
import * as https from "node:https";
import { exchange } from "../registry/exchange.js";
import type { Answer } from "../registry/exchange.js";
import type { EtcdConnection } from "./settings.js";

/** Connections kept open; more requests wait for a free one. */
const CONNECTIONS = 8;

type Files = Pick<EtcdConnection, "address" | "serverName" | "caFile" | "certificateFile" | "keyFile">;

/**
 * Connections to etcd under mutual TLS 1.3. Certificate, key and roots are read when they are used, so that renewed ones count at once; connections are kept
 * open, and opened anew when a file has changed.
 */
export class MutualTls {
  private agent: https.Agent | undefined;
  private files = "";
  private closed = false;

  constructor(private readonly settings: Files) {}

  /** @throws Error where etcd can't be reached in time, or a file can't be read */
  async post(path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<Answer> {
    if (this.closed) {
      throw new Error("the connection to etcd is closed");
    }
    const agent = await this.connections();
    const payload = JSON.stringify(body);
    const url = new URL(path, this.settings.address);
    const open = () =>
      https.request(url, { agent, method: "POST", headers: { ...headers, "Content-Type": "application/json" } });
    return exchange(open, payload);
  }

  /** Breaks off what is under way, and takes no more. */
  close(): void {
    this.closed = true;
    this.agent?.destroy();
    this.agent = undefined;
  }

  private async connections(): Promise<https.Agent> {
    const { caFile, certificateFile, keyFile, serverName } = this.settings;
    const [ca, cert, key] = await Promise.all([caFile, certificateFile, keyFile].map((file) => readFile(file, "utf8")));
    const files = JSON.stringify([ca, cert, key]);
    if (this.agent === undefined || files !== this.files) {
      this.agent?.destroy();
      this.files = files;
      this.agent = new https.Agent({
        keepAlive: true,
        maxSockets: CONNECTIONS,
        timeout: 60_000,
        ca,
        cert,
        key,
        servername: serverName,
        minVersion: "TLSv1.3",
      });
    }
    return this.agent;
  }
}
