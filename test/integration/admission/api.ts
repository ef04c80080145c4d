/** Requests to a Kubernetes API as they are written: a client library would drop what it does not model. */
import type { KubeConfig } from "@kubernetes/client-node";
import * as https from "node:https";

/** An object, or a part of one. */
export interface Manifest {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** The API server's answer to what it did not do. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** Default: JSON. */
  readonly contentType?: string;
  /** What is to be answered; default: the object as JSON. */
  readonly accept?: string;
  /** Who asks; default: the cluster's administrator. */
  readonly user?: string;
}

/** Sends a request. @throws Refusal with the API server's words */
export async function ask(config: KubeConfig, request: ApiRequest): Promise<Manifest> {
  const options: https.RequestOptions = { method: request.method };
  await config.applyToHTTPSOptions(options);
  const server = config.getCurrentCluster()?.server ?? "";
  const { status, text } = await send(`${server}${request.path}`, options, request);
  const answer = parse(text);
  if (status >= 400) throw new Refusal(status, typeof answer.message === "string" ? answer.message : text);
  return answer;
}

function send(url: string, options: https.RequestOptions, { body, contentType, accept, user }: ApiRequest) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(options.headers as Record<string, string> | undefined),
      // Node tells the length of a DELETE's body only where it is told to.
      ...(sent === undefined
        ? {}
        : { "content-type": contentType ?? "application/json", "content-length": Buffer.byteLength(sent) }),
      ...(accept === undefined ? {} : { accept }),
      ...(user === undefined ? {} : { "impersonate-user": user }),
    };
    // Each on a connection of its own.
    const call = https.request(url, { ...options, agent: false, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    call.on("error", reject);
    call.end(sent);
  });
}

function parse(text: string): Manifest {
  try {
    return JSON.parse(text) as Manifest;
  } catch {
    return {};
  }
}

const CLUSTER_SCOPED = [
  "Namespace",
  "CustomResourceDefinition",
  "ClusterRole",
  "ClusterRoleBinding",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
];

/** Path of an object, or of all objects of its kind beside it. */
export function pathOf(
  { apiVersion = "", kind = "", metadata }: Manifest,
  which: "object" | "list" = "object",
): string {
  const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = CLUSTER_SCOPED.includes(kind) ? "" : `/namespaces/${metadata?.namespace ?? ""}`;
  return `${base}${place}/${plural(kind)}${which === "list" ? "" : `/${metadata?.name ?? ""}`}`;
}

function plural(kind: string): string {
  const name = kind.toLowerCase();
  if (name.endsWith("y")) return `${name.slice(0, -1)}ies`;
  if (name.endsWith("ss")) return `${name}es`;
  return name.endsWith("s") ? name : `${name}s`;
}
