import type { IncomingHttpHeaders } from "node:http";

/** The answer to a request, or what refused it. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** SHA-256 fingerprint of the certificate that the server showed. */
  readonly certificate?: string;
  /** What the TLS handshake settled on, and the names in the server's certificate. */
  readonly handshake?: Handshake;
  /** Why there was no answer: the connection was refused, reset, closed or ended by an alert. */
  readonly refused?: string;
}

/** What a TLS client learns of its server. */
export interface Handshake {
  readonly version: string | null;
  /** By its standard name (IANA). */
  readonly cipher: string;
  readonly alpn: string | false | null;
  readonly commonName: string;
  /** All subject alternative names, as Node writes them. */
  readonly alternativeNames: string;
}

/** How long any client waits for an answer. */
export const TIMEOUT_MS = 5000;

/** Reads a stream to its end as text. */
export function collect(stream: NodeJS.ReadableStream, done: (body: string) => void): void {
  let body = "";
  stream.on("data", (chunk: Buffer) => (body += chunk.toString()));
  stream.on("end", () => {
    done(body);
  });
}

/** Headers with one text each. */
export function flat(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
