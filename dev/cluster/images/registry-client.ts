import * as fs from "node:fs";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import * as https from "node:https";
import { pipeline } from "node:stream/promises";

import { Refusal } from "../../toolchain";
import { registryHost } from "../layout";

/** Something that a registry stores under its digest. */
export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** The bytes, or the file that holds them. */
  readonly content: { readonly text: string } | { readonly file: string };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Pushes to the embedded registry through its socket (OCI distribution protocol). */
export class RegistryClient {
  private readonly authority: string;

  constructor(
    private readonly socket: string,
    authorityFile: string,
  ) {
    this.authority = fs.readFileSync(authorityFile, "utf8");
  }

  /** Answers once the registry does. */
  async ping(): Promise<boolean> {
    return (await this.request("GET", "/v2/")).status === 200;
  }

  /** Digest of the manifest under `repository:tag`, or undefined. */
  async digest(repository: string, tag: string): Promise<string | undefined> {
    const accept = { accept: "application/vnd.oci.image.manifest.v1+json" };
    const { status, headers } = await this.request("HEAD", `/v2/${repository}/manifests/${tag}`, accept);
    const digest = headers["docker-content-digest"];
    return status === 200 && typeof digest === "string" ? digest : undefined;
  }

  /** Stores blobs that the registry doesn't have yet, then the manifest under the tag. */
  async push(repository: string, tag: string, blobs: readonly Blob[], manifest: Blob): Promise<void> {
    for (const blob of blobs) {
      await this.pushBlob(repository, blob);
    }
    const path = `/v2/${repository}/manifests/${tag}`;
    const answer = await this.request("PUT", path, headersOf(manifest), manifest.content);
    expectStatus(answer, 201, `PUT ${path}`);
  }

  private async pushBlob(repository: string, blob: Blob): Promise<void> {
    if ((await this.request("HEAD", `/v2/${repository}/blobs/${blob.digest}`)).status === 200) {
      return;
    }
    const path = `/v2/${repository}/blobs/uploads/`;
    const begun = await this.request("POST", path, { "content-length": "0" });
    expectStatus(begun, 202, `POST ${path}`);
    const location = new URL(begun.headers.location ?? "", `https://${registryHost}`);
    location.searchParams.set("digest", blob.digest);
    const target = `${location.pathname}${location.search}`;
    const headers = { "content-type": "application/octet-stream", "content-length": String(blob.size) };
    expectStatus(await this.request("PUT", target, headers, blob.content), 201, `PUT ${location.pathname}`);
  }

  private async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders = {},
    content: Blob["content"] = { text: "" },
  ): Promise<Answer> {
    const request = https.request({
      socketPath: this.socket,
      servername: registryHost,
      ca: this.authority,
      method,
      path,
      headers: { host: registryHost, ...headers },
      agent: false,
    });
    const answer = new Promise<Answer>((resolve, reject) => {
      request.on("error", reject);
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const body = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      });
    });
    if ("file" in content) {
      await Promise.all([answer, pipeline(fs.createReadStream(content.file), request)]);
    } else {
      request.end(content.text);
    }
    return answer;
  }
}

function headersOf(blob: Blob): OutgoingHttpHeaders {
  return { "content-type": blob.mediaType, "content-length": String(blob.size) };
}

function expectStatus(answer: Answer, status: number, what: string): void {
  if (answer.status !== status) {
    const body = answer.body.slice(0, 300).trim();
    throw new Refusal(`the embedded registry answered ${String(answer.status)} to ${what}: ${body}; is the disk full?`);
  }
}
