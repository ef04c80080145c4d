/** What agents serve as the mesh's authenticator: the real service of Envoy's protos, whose answers the test decides. */
import { X509Certificate } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** How questions are answered. */
export interface Verdict {
  /** Identities refused. */
  readonly callers?: readonly string[];
  /** SHA-256 fingerprints of refused certificates, lower-case hex. */
  readonly certificates?: readonly string[];
  /** Milliseconds before the answer. */
  readonly delayMs?: number;
  /** Request headers that a yes sets. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Dynamic metadata that a yes sets, one text in a namespace. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The question ends with an error of gRPC. */
  readonly fails?: boolean;
}

/** A question as it was asked. */
export interface Question {
  readonly caller: string;
  readonly callee: string;
  readonly claimedService: string;
  /** SHA-256 fingerprint of the caller's certificate. */
  readonly certificate: string;
  readonly serverName: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Check {
  readonly attributes: {
    readonly source: { readonly principal: string; readonly certificate: string; readonly service: string };
    readonly destination: { readonly principal: string };
    readonly request: {
      readonly http: {
        readonly method: string;
        readonly path: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: string;
      };
    };
    readonly tlsSession?: { readonly sni: string };
  };
}

let verdict: Verdict = {};
let server: grpc.Server | undefined;
const questions: Question[] = [];

/** Serves `envoy.service.auth.v3.Authorization`. `protos`: where Envoy's protos and those that they import lie. */
export async function serveVerdicts(args: { port: number; protos: readonly string[] }): Promise<void> {
  const definition = loadSync("envoy/service/auth/v3/external_auth.proto", {
    includeDirs: [...args.protos],
    defaults: true,
  });
  const check: grpc.handleUnaryCall<Check, object> = (call, callback) => {
    const { source, destination, request, tlsSession } = call.request.attributes;
    const certificate = new X509Certificate(decodeURIComponent(source.certificate)).fingerprint256;
    const question: Question = {
      caller: source.principal,
      callee: destination.principal,
      claimedService: source.service,
      certificate: certificate.replaceAll(":", "").toLowerCase(),
      serverName: tlsSession?.sni ?? "",
      ...request.http,
    };
    questions.push(question);
    setTimeout(() => {
      if (verdict.fails === true) callback({ code: grpc.status.INTERNAL, details: "the authenticator is confused" });
      else callback(null, answer(question));
    }, verdict.delayMs ?? 0);
  };
  const service = definition["envoy.service.auth.v3.Authorization"] as grpc.ServiceDefinition;
  const started = new grpc.Server();
  started.addService(service, { Check: check });
  server = started;
  await new Promise<void>((resolve, reject) => {
    started.bindAsync(`127.0.0.1:${args.port}`, grpc.ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

/** Ends the authenticator: nobody listens at its port. */
export function stopVerdicts(): Promise<void> {
  server?.forceShutdown();
  return Promise.resolve();
}

/** Decides the answers from now on. */
export function setVerdict(args: Verdict): Promise<void> {
  verdict = args;
  return Promise.resolve();
}

/** All questions so far, oldest first. */
export function askedQuestions(): Promise<Question[]> {
  return Promise.resolve(questions);
}

function answer({ caller, certificate }: Question): object {
  if (verdict.callers?.includes(caller) === true || verdict.certificates?.includes(certificate) === true) {
    return { status: { code: grpc.status.PERMISSION_DENIED } };
  }
  const headers = Object.entries(verdict.headers ?? {}).map(([key, value]) => ({ header: { key, value } }));
  const fields = Object.entries(verdict.metadata ?? {}).map(([key, value]) => [key, { stringValue: value }]);
  return {
    status: { code: grpc.status.OK },
    okResponse: { headers },
    ...(fields.length === 0 ? {} : { dynamicMetadata: { fields: Object.fromEntries(fields) as object } }),
  };
}
