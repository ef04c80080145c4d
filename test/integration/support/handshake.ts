import type { ClientRequest } from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as tls from "node:tls";
import type { Protocol, Service } from "../../../mesh";
import { SIDECAR_PORTS } from "../../../mesh";
import { IDENTITY_TOKEN } from "../../../mesh/wire";
import { core, forward, podOf } from "./cluster";
import type { Cluster, PodRef } from "./cluster";

/** What a client shows. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
  /** Identity token, for the header in which sidecars look for it. */
  readonly token?: string;
}

/** How a request with these credentials ended: refused before HTTP was spoken, or answered. */
export type Answer = { readonly refused: string } | { readonly status: number; readonly body: string };

/** The certificate and key that a service's sidecar uses, and a token of the service. */
export async function credentialsOf(service: Service, at?: Cluster): Promise<Credentials> {
  const secret = { name: `${service.name}-tls`, namespace: service.namespace };
  const { data } = await (at?.core ?? core).readNamespacedSecret(secret);
  const text = (key: string) => Buffer.from(data?.[key] ?? "", "base64").toString();
  return { cert: text("tls.crt"), key: text("tls.key"), token: await tokenOf(service, undefined, at) };
}

/** A token of a service's account, as kubelet asks for one: bound to a pod of its, where it is for the mesh. */
export async function tokenOf(
  { name, namespace }: Pick<Service, "name" | "namespace">,
  audience: string = IDENTITY_TOKEN.audience,
  at?: Cluster,
): Promise<string> {
  const isOfMesh = audience === IDENTITY_TOKEN.audience;
  const pod = isOfMesh ? await podOf({ name, namespace }, at) : undefined;
  const spec = {
    audiences: [audience],
    expirationSeconds: IDENTITY_TOKEN.lifetimeSeconds,
    ...(pod === undefined ? {} : { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: pod.name } }),
  };
  const { status } = await (at?.core ?? core).createNamespacedServiceAccountToken({ name, namespace, body: { spec } });
  if (status === undefined) throw new Error(`the API server issued no token for ${name}`);
  return status.token;
}

export interface Attempt {
  readonly pod: PodRef;
  readonly serverName: string;
  readonly protocol: Protocol;
  readonly credentials?: Credentials;
  /** `GET` where it is not said. */
  readonly method?: string | undefined;
  /** `/` where it is not said. */
  readonly path?: string | undefined;
  readonly port?: number;
  readonly tlsOptions?: tls.ConnectionOptions;
}

/**
 * Sends one request to a sidecar's port as the bearer of some credentials. It goes through a port-forward, so that the NetworkPolicy is out of the
 * way and what answers is TLS and Envoy's authorization alone.
 */
export async function request(attempt: Attempt): Promise<Answer> {
  const forwarded = await forward(attempt.pod, attempt.port ?? SIDECAR_PORTS.inbound);
  try {
    const overHttp2 = attempt.protocol === "grpc" || attempt.protocol === "http2";
    const options: tls.ConnectionOptions = {
      host: "127.0.0.1",
      port: forwarded.port,
      servername: attempt.serverName,
      // It is the server's check of the client that is under test here.
      rejectUnauthorized: false,
      ALPNProtocols: [overHttp2 ? "h2" : "http/1.1"],
      ...attempt.credentials,
      ...attempt.tlsOptions,
    };
    const token = attempt.credentials?.token;
    const headers: Headers = token === undefined ? {} : { [IDENTITY_TOKEN.header]: token };
    const { method = "GET", path = "/" } = attempt;
    return await (overHttp2 ? askHttp2(options, method, path, headers) : askHttp1(options, method, path, headers));
  } finally {
    forwarded.close();
  }
}

const TIMEOUT_MS = 10_000;

type Headers = Readonly<Record<string, string>>;

function askHttp1(options: tls.ConnectionOptions, method: string, path: string, headers: Headers): Promise<Answer> {
  const call = https.request({
    ...options,
    method,
    path,
    agent: false,
    timeout: TIMEOUT_MS,
    headers: { host: "probe", connection: "close", ...headers },
  });
  call.end();
  return answerOf(call);
}

/** How a call over HTTP/1.1 ends that was just begun; it is given up after its own `timeout`. */
export function answerOf(call: ClientRequest): Promise<Answer> {
  return new Promise((resolve) => {
    const refused = (error: Error) => {
      resolve({ refused: error.message });
    };
    call.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
      // Of an answer that breaks off the call says nothing any more.
      response.on("error", refused);
    });
    call.on("timeout", () => call.destroy(new Error("no answer in time")));
    call.on("error", refused);
  });
}

function askHttp2(options: tls.ConnectionOptions, method: string, path: string, headers: Headers): Promise<Answer> {
  return new Promise((resolve) => {
    const session = http2.connect("https://probe", { createConnection: () => tls.connect(options) });
    const end = (answer: Answer) => {
      session.destroy();
      resolve(answer);
    };
    session.setTimeout(TIMEOUT_MS, () => {
      end({ refused: "no answer within 10 s" });
    });
    session.on("error", (error: Error) => {
      end({ refused: error.message });
    });
    session.on("close", () => {
      end({ refused: "closed" });
    });
    const stream = session.request({ ":method": method, ":path": path, ...headers }, { endStream: true });
    let status = 0;
    const chunks: Buffer[] = [];
    stream.on("response", (headers) => {
      status = headers[":status"] ?? 0;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", (error: Error) => {
      end({ refused: error.message });
    });
    stream.on("end", () => {
      end(status === 0 ? { refused: "closed without an answer" } : { status, body: Buffer.concat(chunks).toString() });
    });
  });
}

/** A short form for messages. */
export function describeAnswer(answer: Answer): string {
  return "refused" in answer ? `refused (${answer.refused})` : `HTTP ${answer.status}`;
}
