import * as path from "node:path";
import { clusterDown, clusterStatus } from "./cluster";
import { checkoutDir } from "./paths";
import { pulumiEnvironment } from "./pulumi-environment";
import { stackTarget } from "./stack";
import { start } from "./start";
import type { Counts, Stage } from "./test-stage";
import { closingLine, runStage, sum } from "./test-stage";
import { ensureToolchain } from "./toolchain";
import { UsageError, runMain } from "./usage-error";

const npx = (...args: string[]): [string, ...string[]] => ["npx", "--no-install", ...args];
const mocha = (...args: string[]): [string, ...string[]] => npx("mocha", ...args);

/** What needs nothing but npm's dependencies. */
const STATIC: readonly Stage[] = [
  { title: "format", command: npx("prettier", "--check", "--log-level", "warn", ".") },
  { title: "lint", command: npx("eslint", ".") },
  { title: "types", command: npx("tsc", "--noEmit") },
  { title: "services: types", command: ["npm", "run", "check", "--workspaces", "--silent"] },
  { title: "services: bundles", command: ["npm", "run", "build", "--workspaces", "--silent"] },
];

/** What needs the toolchain besides. */
const UNIT: readonly Stage[] = [
  {
    title: "unit tests and golden files",
    command: mocha("test/unit/**/*.test.ts", "test/golden/**/*.test.ts"),
    counted: true,
  },
  ...["controller", "start-gate"].map((service) => ({
    title: `services: ${service}`,
    command: mocha("--reporter", path.join(checkoutDir, "test", "counting-reporter.cjs")),
    cwd: path.join(checkoutDir, "services", service),
    counted: true,
  })),
];

/** What needs Pulumi and its plugins, and no cluster. */
const PREVIEWS: readonly Stage[] = [
  { title: "policy pack", folder: "policies" },
  { title: "program", folder: "program" },
].map(({ title, folder }) => ({
  title,
  command: mocha("--timeout", "300000", `test/${folder}/**/*.test.ts`),
  counted: true,
}));

/** What needs the deployed mesh. The folders run in this order; the last one takes the mesh away. */
const INTEGRATION: readonly Stage[] = ["envoy", "plugins", "cluster", "mesh", "teardown"].map((area) => ({
  title: `integration: ${area}`,
  command: mocha("--timeout", "300000", `test/integration/${area}/**/*.test.ts`),
  counted: true,
}));

/** `npm test`: everything that fits in an hour, on the embedded cluster. */
async function main(): Promise<number> {
  const only = process.argv.slice(2);
  const target = stackTarget();
  if (!target.embedded) {
    throw new UsageError(
      "the tests deploy and destroy the mesh, so they run on the embedded cluster alone: let Pulumi.dev.yaml name .state/kubeconfig",
    );
  }
  const chosen = (stage: Stage) => only.length === 0 || only.some((word) => stage.title.includes(word));
  const counts: Counts[] = [];
  const runAll = async (stages: readonly Stage[], env: NodeJS.ProcessEnv = {}) => {
    for (const stage of stages.filter(chosen)) counts.push(await runStage({ ...stage, env: { ...env, ...stage.env } }));
  };

  await runAll(STATIC);
  await ensureToolchain();
  await runAll(UNIT);
  const environment = await pulumiEnvironment(target);
  console.log(environment.plugins);
  await runAll(PREVIEWS, environment.env);

  if (INTEGRATION.some(chosen)) {
    const wasUp = (await clusterStatus()).state !== "absent";
    if ((await start()) === 0) {
      counts.push({ passed: 1, failed: 0 });
      await runAll(INTEGRATION, environment.env);
      if (only.length === 0 && wasUp && (await start()) !== 0)
        counts.push({ passed: 0, failed: 1, failures: ["deployment: failed once the tests had taken the mesh away"] });
    } else {
      console.log("=== deployment: failed, so no test on the cluster could run; they count as one failure");
      counts.push({ passed: 0, failed: 1, failures: ["deployment: failed"] });
    }
    if (only.length === 0 && !wasUp) await clusterDown();
  }

  const total = sum(counts);
  if (total.failures.length > 0) console.log(`\nFailures:\n${total.failures.map((line) => `- ${line}`).join("\n")}`);
  console.log(`\n${closingLine(total)}`);
  return total.failed === 0 ? 0 : 1;
}

runMain(main);
