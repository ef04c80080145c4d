import { CONSUL } from "../../../mesh";
import type { ZoneName } from "../../../mesh";
import { core, forward, podOf } from "./cluster";

export interface ConsulAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks Consul's API, through a port-forward to a server's loopback. */
export async function consul(
  method: "GET" | "PUT",
  path: string,
  options: { readonly token?: string; readonly body?: unknown } = {},
): Promise<ConsulAnswer> {
  const server = await forward(await podOf({ name: CONSUL.service, namespace: "lucid-mesh" }), CONSUL.httpPort);
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { connection: "close", ...(options.token === undefined ? {} : { "x-consul-token": options.token }) },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    return { status: response.status, body: await response.text() };
  } finally {
    server.close();
  }
}

/** The token with which the controller registers a zone's services. */
export async function registrarToken(zone: ZoneName): Promise<string> {
  const { data } = await core.readNamespacedSecret({ name: "mesh-controller-tokens", namespace: "lucid-mesh" });
  const token = data?.[zone];
  if (token === undefined) throw new Error(`mesh-controller-tokens has no token for ${zone}`);
  return Buffer.from(token, "base64").toString();
}

interface HealthEntry {
  readonly Service: {
    readonly Address: string;
    readonly Port: number;
    readonly ID: string;
    readonly Tags: readonly string[];
  };
}

/** Passing instances of a service in the catalogue. */
export async function passingInstances(service: string, zone: ZoneName): Promise<HealthEntry["Service"][]> {
  const { status, body } = await consul("GET", `/v1/health/service/${service}?passing`, {
    token: await registrarToken(zone),
  });
  if (status !== 200) throw new Error(`Consul answered ${status}: ${body}`);
  return (JSON.parse(body) as HealthEntry[]).map((entry) => entry.Service);
}
