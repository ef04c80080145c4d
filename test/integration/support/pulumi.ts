import { spawn } from "node:child_process";
import { withStack } from "../../../dev/pulumi";
import { projectDir, pulumiEnvironment } from "../../../dev/pulumi-environment";
import { stackTarget } from "../../../dev/stack";

export interface Run {
  readonly status: number;
  readonly output: string;
}

/** Runs Pulumi on the deployed stack, as `npm start` does. Output is gathered; a secret may be in it where `--show-secrets` was asked for. */
export async function pulumi(...args: string[]): Promise<Run> {
  const environment = await pulumiEnvironment(stackTarget());
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", withStack(environment, args), {
      cwd: projectDir,
      env: environment.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ status: code ?? 1, output: Buffer.concat(chunks).toString() });
    });
  });
}
