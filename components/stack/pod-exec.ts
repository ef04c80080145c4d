import { Exec } from "@kubernetes/client-node";
import type { KubeConfig, V1Status } from "@kubernetes/client-node";
import type { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";

/** How a command ended. */
export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PodCommand {
  readonly container: string;
  readonly command: readonly string[];
  /** What it reads, as one line. The end of its input is not told: not every API server passes it on. */
  readonly line?: string;
}

/**
 * Runs a command in a container of a pod, through the Kubernetes API. Its exit code is a result, not an error.
 *
 * @throws Error where it could not be run to its end
 */
export async function execInPod(
  kubeConfig: KubeConfig,
  pod: { readonly namespace: string; readonly name: string },
  { container, command, line }: PodCommand,
): Promise<ExecResult> {
  const [stdout, stderr] = [collector(), collector()];
  const stdin = line === undefined ? null : new PassThrough();
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(kubeConfig)
      .exec(pod.namespace, pod.name, container, [...command], stdout.stream, stderr.stream, stdin, false, resolve)
      .then((connection: unknown) => {
        // How the command ended is told before the connection is closed; then this changes nothing.
        (connection as EventEmitter).on("close", () => {
          reject(new Error(`the connection was closed before the command in ${pod.name} ended`));
        });
        stdin?.write(`${line ?? ""}\n`);
      })
      .catch(reject);
  });
  return { code: exitCode(status), stdout: stdout.text(), stderr: stderr.text() };
}

function exitCode({ status, details, message }: V1Status): number {
  if (status === "Success") return 0;
  const cause = details?.causes?.find(({ reason }) => reason === "ExitCode");
  if (cause?.message === undefined) throw new Error(`the command could not be run: ${message ?? "no reason given"}`);
  return Number(cause.message);
}

function collector(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = [];
  return {
    stream: new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    }),
    text: () => Buffer.concat(chunks).toString(),
  };
}
