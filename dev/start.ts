import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { clusterUp } from "./cluster";
import { pages } from "./pages";
import { binDir, checkoutDir, kubeconfigPath } from "./paths";
import { ensureStack, runPulumi, withStack } from "./pulumi";
import type { PulumiEnvironment } from "./pulumi-environment";
import { pulumiEnvironment } from "./pulumi-environment";
import type { StackTarget } from "./stack";
import { stackTarget } from "./stack";
import { ensureToolchain } from "./toolchain";
import { UsageError, runMain } from "./usage-error";

/** The policy pack that every deployment passes. */
const POLICY_PACK = "policies";

/** Brings up what the stack needs and deploys the mesh: `npm start`, and the first half of `npm test`. Resolves to Pulumi's exit code. */
export async function start(options: { readonly stack?: string; readonly nodes?: number } = {}): Promise<number> {
  const started = Date.now();
  const target = stackTarget(options.stack);
  const early = target.embedded && !existsSync(path.join(binDir(), "pulumi")) ? undefined : await announced(target);
  if (target.embedded) {
    await ensureToolchain();
  } else if (spawnSync("pulumi", ["version"], { stdio: "ignore", env: early?.env }).error) {
    throw new UsageError(
      "pulumi is not installed, and this stack deploys to a cluster of yours: install Pulumi from pulumi.com and run this again",
    );
  }
  const environment = early ?? (await announced(target));
  if (target.embedded) {
    await clusterUp(options.nodes === undefined ? {} : { nodes: options.nodes });
  } else {
    console.log(`stack ${target.stack} names a cluster of its own: nothing of the embedded one is started`);
  }
  buildBundles();
  await ensureStack(environment);
  const status = await runPulumi(
    environment,
    withStack(environment, ["up", "--yes", "--non-interactive", "--policy-pack", POLICY_PACK]),
  );
  if (status === 0) {
    console.log(`\nThe mesh is up (${((Date.now() - started) / 1000).toFixed(0)} s).`);
    if (target.embedded) {
      const kubectl = `${path.join(binDir(), "kubectl")} --kubeconfig ${path.relative(process.cwd(), kubeconfigPath)}`;
      console.log(pages(target.discoveryBackend, kubectl));
    }
  }
  return status;
}

/** What the mesh's own images are made of, as the sources are now: an image's name follows from its bundle. */
function buildBundles(): void {
  const { status } = spawnSync("npm", ["run", "build", "--silent"], { cwd: checkoutDir, stdio: "inherit" });
  if (status !== 0) throw new UsageError("the services' bundles could not be built (see above)");
}

/** The environment for Pulumi, said in the first line of a run: which plugins it uses. On a machine with nothing built that has to wait for the CLI. */
async function announced(target: StackTarget): Promise<PulumiEnvironment> {
  const environment = await pulumiEnvironment(target);
  console.log(environment.plugins);
  return environment;
}

function parseArguments(args: readonly string[]): { stack?: string; nodes?: number } {
  const options: { stack?: string; nodes?: number } = {};
  for (let index = 0; index < args.length; index += 2) {
    const [flag, value] = [args[index], args[index + 1]];
    if (flag === "--stack" && value !== undefined) options.stack = value;
    else if (flag === "--nodes" && (value === "1" || value === "3")) options.nodes = Number(value);
    else
      throw new UsageError(
        `\`${[flag, value].join(" ").trim()}\` is not understood; usage: npm start [-- --stack <name>] [--nodes 1|3]`,
      );
  }
  return options;
}

if (require.main === module) runMain(() => start(parseArguments(process.argv.slice(2))));
