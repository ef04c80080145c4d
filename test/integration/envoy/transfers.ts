/** A client that sends and gets bodies of any size. */
import { createHash } from "node:crypto";
import * as http from "node:http";
import { flat } from "./answer";

/** What an upload and its answer were made of. */
export interface Transfer {
  readonly status?: number;
  /** Whether `100 Continue` came before the body was sent. */
  readonly continued: boolean;
  readonly sentSha256: string;
  readonly body: string;
  readonly receivedBytes: number;
  readonly trailers: Readonly<Record<string, string>>;
  readonly refused?: string;
}

/** Sends a body of `size` random-looking bytes by HTTP/1.1, chunked, after `100 Continue` where `expect` is set; `?size=` in the path asks for a large answer. */
export function transfer(args: {
  host: string;
  port: number;
  path: string;
  size: number;
  expect?: boolean;
}): Promise<Transfer> {
  const content = Buffer.alloc(args.size, "a mesh carries what it is given; ");
  const result = { continued: false, sentSha256: createHash("sha256").update(content).digest("hex") };
  return new Promise((resolve) => {
    const headers = args.expect === true ? { expect: "100-continue", te: "trailers" } : { te: "trailers" };
    const { host, port, path } = args;
    const outgoing = http.request({ host, port, path, method: "POST", headers, agent: false }, (response) => {
      let body = "";
      let receivedBytes = 0;
      response.on("data", (chunk: Buffer) => {
        receivedBytes += chunk.length;
        body += receivedBytes < 65536 ? chunk.toString() : "";
      });
      response.on("end", () => {
        const trailers = flat(response.trailers);
        resolve({ ...result, status: response.statusCode, body, receivedBytes, trailers });
        outgoing.destroy();
      });
    });
    outgoing.on("continue", () => {
      result.continued = true;
      outgoing.end(content);
    });
    outgoing.on("error", (error: Error) => {
      resolve({ ...result, body: "", receivedBytes: 0, trailers: {}, refused: error.message });
    });
    if (args.expect === true) {
      outgoing.flushHeaders();
    } else {
      outgoing.end(content);
    }
  });
}
