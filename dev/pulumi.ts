import { spawn } from "node:child_process";
import { offeringConsul } from "./consul-forward";
import type { PulumiEnvironment } from "./pulumi-environment";
import { projectDir, pulumiEnvironment } from "./pulumi-environment";
import { removeLocksOfEndedCommands } from "./pulumi-locks";
import { DEFAULT_STACK, stackTarget } from "./stack";
import { UsageError, runMain } from "./usage-error";

/** Commands that work on a stack, and so take its name and configuration file. */
const STACK_COMMANDS: ReadonlySet<string> = new Set([
  "up",
  "preview",
  "destroy",
  "refresh",
  "config",
  "stack",
  "state",
]);
/** Of these, the ones that read the stack's configuration. */
const CONFIG_COMMANDS: ReadonlySet<string> = new Set(["up", "preview", "destroy", "refresh", "config"]);

/** Completes a Pulumi command line with what the stack needs. */
export function withStack(environment: PulumiEnvironment, args: readonly string[]): string[] {
  const [command = ""] = args;
  if (!STACK_COMMANDS.has(command)) return [...args];
  return [...args, ...environment.stackArgs, ...(CONFIG_COMMANDS.has(command) ? environment.configArgs : [])];
}

/** Runs the Pulumi CLI in the project, its output going to ours; resolves to its exit code. */
export async function runPulumi(environment: PulumiEnvironment, args: readonly string[]): Promise<number> {
  if (environment.backendDir !== undefined) {
    for (const line of removeLocksOfEndedCommands(environment.backendDir)) console.log(line);
  }
  return offeringConsul(environment, (env) => spawnPulumi(env, args));
}

function spawnPulumi(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", args, { cwd: projectDir, env, stdio: "inherit" });
    child.on("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "ENOENT"
          ? new UsageError(
              "pulumi is not installed: install it from pulumi.com, or run `npm run toolchain`, which builds it",
            )
          : error,
      );
    });
    child.on("close", (code, signal) => {
      resolve(code ?? (signal === null ? 1 : 130));
    });
  });
}

/** Makes the stack in the backend where it isn't there yet. */
export async function ensureStack(environment: PulumiEnvironment): Promise<void> {
  const status = await runPulumi(environment, [
    "stack",
    "select",
    "--create",
    "--non-interactive",
    "--cwd",
    environment.stackDir,
    ...environment.stackArgs,
  ]);
  if (status !== 0) throw new UsageError("the stack could not be selected or made (see above)");
}

/** `npm run pulumi -- <arguments>`: Pulumi as `npm start` runs it. */
async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const named = args.includes("--stack") ? args[args.indexOf("--stack") + 1] : undefined;
  const environment = await pulumiEnvironment(stackTarget(named ?? DEFAULT_STACK));
  console.log(environment.plugins);
  return runPulumi(
    environment,
    named === undefined ? withStack(environment, args) : [...args, ...environment.configArgs],
  );
}

if (require.main === module) runMain(main);
