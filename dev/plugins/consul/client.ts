import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";

import type { ConfigValues } from "../protocol/config";
import { isProperties, type Properties, type Value } from "../protocol/values";

const TIMEOUT_MS = 15_000;
const DEFAULT_ADDRESS = "localhost:8500";

interface ConsulResponse {
  readonly status: number;
  readonly body: string;
}

/** Where Consul's HTTP API is, and as whom it is called. */
export interface ConsulSettings {
  readonly base: URL;
  readonly token: string | undefined;
  readonly datacenter: string | undefined;
  readonly ca: string | undefined;
  readonly insecureHttps: boolean;
}

/** The provider's arguments; what isn't given comes from the official provider's environment variables. */
export function consulSettings(config: ConfigValues, env: NodeJS.ProcessEnv): ConsulSettings {
  const fromEnv = (...names: string[]): string | undefined => names.map((name) => env[name]).find((value) => value);
  const address = config.string("address") ?? fromEnv("CONSUL_ADDRESS", "CONSUL_HTTP_ADDR") ?? DEFAULT_ADDRESS;
  const scheme = config.string("scheme") ?? fromEnv("CONSUL_SCHEME", "CONSUL_HTTP_SCHEME") ?? "http";
  const caPem = config.string("caPem");
  const caFile = config.string("caFile") ?? fromEnv("CONSUL_CA_FILE");
  return {
    base: baseAddress(scheme, address),
    token: config.string("token") ?? fromEnv("CONSUL_TOKEN", "CONSUL_HTTP_TOKEN"),
    datacenter: config.string("datacenter"),
    ca: caPem ?? (caFile === undefined ? undefined : readFileSync(caFile, "utf8")),
    insecureHttps: config.boolean("insecureHttps") ?? false,
  };
}

function baseAddress(scheme: string, address: string): URL {
  const text = /^https?:\/\//.test(address) ? address : `${scheme}://${address}`;
  if (!URL.canParse(text)) {
    throw new Error(`the consul provider's address "${address}" is none; write host:port`);
  }
  return new URL(text);
}

/** Consul's HTTP API. */
export class ConsulClient {
  private readonly agent: http.Agent;

  constructor(private readonly settings: ConsulSettings) {
    const { base, ca, insecureHttps } = settings;
    this.agent =
      base.protocol === "https:"
        ? new https.Agent({ ...(ca === undefined ? {} : { ca }), rejectUnauthorized: !insecureHttps })
        : new http.Agent();
  }

  /**
   * The answer's JSON object; `undefined` where there is no such thing.
   * @throws Error where Consul can't be reached, or refuses
   */
  async call(method: "GET" | "PUT" | "DELETE", path: string, body?: Properties): Promise<Properties | undefined> {
    const response = await this.send(method, path, body);
    if (isNotFound(response)) {
      return undefined;
    }
    if (response.status !== 200) {
      throw new Error(`Consul answered ${method} ${path} with ${String(response.status)}: ${response.body.trim()}`);
    }
    const value = JSON.parse(response.body) as Value;
    // A deletion is answered by `true`.
    return isProperties(value) ? value : {};
  }

  private send(method: string, path: string, body: Properties | undefined): Promise<ConsulResponse> {
    const { base, token, datacenter } = this.settings;
    const url = new URL(path, base);
    if (datacenter !== undefined) {
      url.searchParams.set("dc", datacenter);
    }
    return new Promise((resolve, reject) => {
      const transport = base.protocol === "https:" ? https : http;
      const headers = {
        ...(token === undefined ? {} : { "x-consul-token": token }),
        "content-type": "application/json",
      };
      const request = transport.request(
        url,
        { method, headers, agent: this.agent, timeout: TIMEOUT_MS },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
          });
        },
      );
      request.on("timeout", () => request.destroy(new Error(`no answer within ${String(TIMEOUT_MS / 1000)} s`)));
      request.on("error", (error) => {
        reject(new Error(`Consul at ${base.host} can't be reached: ${error.message}`));
      });
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

/** Consul says 404, or of an object of its ACLs that isn't there 403 or 500 with "ACL not found". */
function isNotFound({ status, body }: ConsulResponse): boolean {
  return status === 404 || (status !== 200 && body.includes("ACL not found"));
}
