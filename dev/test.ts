import * as path from "node:path";
import { clusterDown, clusterStatus, clusterUp } from "./cluster";
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
];

/** The services' own tests. */
const SERVICES: readonly Stage[] = ["controller", "start-gate", "snapshots"].map((service) => ({
  title: `services: ${service}`,
  command: mocha("--reporter", path.join(checkoutDir, "test", "counting-reporter.cjs")),
  cwd: path.join(checkoutDir, "services", service),
  counted: true,
}));

/** What needs Pulumi and its plugins, and no cluster. */
const PREVIEWS: readonly Stage[] = [
  { title: "policy pack", folder: "policies" },
  { title: "program", folder: "program" },
].map(({ title, folder }) => ({
  title,
  command: mocha("--timeout", "300000", `test/${folder}/**/*.test.ts`),
  counted: true,
}));

/** Sidecars alone, in network namespaces of the tests' own. */
const SIDECARS = integration("envoy");

/** What the proof takes Consul's ACLs to do, beside a real Consul on loopback. */
const CONSUL = integration("consul");

/** etcd as the discovery backend, with the node resolver's CoreDNS: on loopback. */
const ETCD = integration("etcd");

/** The mesh's admission policies on an API server of the tests' own, without a node. */
const ADMISSION = integration("admission");

/** Replicas of the controller on such an API server, with a Consul and an etcd of the tests' own. */
const CONTROLLER = integration("controller");

/** The controller's page in a real browser. */
const PAGE = integration("page");

/** Prometheus with the mesh's own jobs and alerting rules. */
const PROMETHEUS = integration("prometheus");

/** The embedded cluster, before anything is deployed to it. */
const CLUSTER = integration("cluster");

/** What needs the deployed mesh. The folders run in this order; the last one takes the mesh away. */
const DEPLOYED = integration("plugins", "mesh");
const TEARDOWN = integration("teardown");

function integration(...areas: readonly string[]): readonly Stage[] {
  return areas.map((area) => ({
    title: `integration: ${area}`,
    command: mocha("--timeout", "300000", `test/integration/${area}/**/*.test.ts`),
    counted: true,
  }));
}

/** What `npm run test:full` adds: with them the tests would take hours. */
const CAMPAIGNS: readonly (Stage & { readonly adds: string })[] = [
  {
    title: "campaign: external services",
    adds: "a service outside the cluster brought into the deployed mesh, called, refused, lost and given up",
    command: mocha("test/campaigns/external.test.ts"),
    counted: true,
  },
  {
    title: "campaign: root rotation",
    adds: "the root of a zone exchanged in three steps, under load",
    command: mocha("test/campaigns/root-rotation.test.ts"),
    counted: true,
  },
  {
    title: "campaign: leaf rotation",
    adds: "every leaf certificate replaced every five minutes for half an hour, under load",
    command: mocha("test/campaigns/leaf-rotation.test.ts"),
    counted: true,
  },
  {
    title: "campaign: issuers",
    adds: "certificates of an hour that issuers make anew in time, by themselves, for two hours under load; issuers and controller killed twenty times",
    command: mocha("test/campaigns/issuers.test.ts"),
    counted: true,
  },
  {
    title: "campaign: controller away",
    adds: "no controller for an hour, under load: no call fails, the alert rings, and what came and went meanwhile is registered when it is back",
    command: mocha("test/campaigns/controller-away.test.ts"),
    counted: true,
  },
  {
    title: "campaign: lookups",
    adds: "the names of a thousand services asked for through a node's cache, and of Consul directly",
    command: mocha("test/campaigns/lookups.test.ts"),
    counted: true,
  },
  {
    title: "campaign: reachability",
    adds: "a thousand random meshes rendered whole and proven, at every layer",
    command: mocha("test/campaigns/reachability.test.ts"),
    counted: true,
  },
  {
    title: "campaign: mutations",
    adds: "every operator on every field of every object that stack dev renders, service by service",
    command: mocha("test/campaigns/mutations.test.ts"),
    counted: true,
  },
  {
    title: "campaign: parts",
    adds: "the mesh deployed by five stacks, one for each part: their order, their calls, a root exchanged between them, their end",
    command: mocha("test/campaigns/parts.test.ts"),
    counted: true,
  },
  {
    title: "campaign: datacenters",
    adds: "a second cluster beside the usual one, the two joined as datacenters: a call from one to the other, failover there and back, and what is refused",
    command: mocha("test/campaigns/datacenters.test.ts"),
    counted: true,
  },
  {
    title: "campaign: nodes",
    adds: "the mesh on three nodes: registration and deregistration in seconds, a node's death, calls between nodes, the discovery servers restarted and away for ten minutes under load, and what the wire shows",
    command: mocha("test/campaigns/nodes.test.ts"),
    counted: true,
  },
];

/** `npm test`: everything that fits in an hour, on the embedded cluster; with `--full`, the campaigns too. */
async function main(): Promise<number> {
  const full = process.argv.includes("--full");
  const only = process.argv.slice(2).filter((word) => word !== "--full");
  const target = stackTarget();
  if (!target.embedded) {
    throw new UsageError(
      "the tests deploy and destroy the mesh, so they run on the embedded cluster alone: let Pulumi.dev.yaml name .state/kubeconfig",
    );
  }
  if (full) console.log(`test:full adds:\n${CAMPAIGNS.map(({ title, adds }) => `- ${title}: ${adds}`).join("\n")}`);
  const onMesh = [...DEPLOYED, ...(full ? CAMPAIGNS : []), ...TEARDOWN];
  const chosen = (stage: Stage) => only.length === 0 || only.some((word) => stage.title.includes(word));
  const counts: Counts[] = [];
  const runAll = async (stages: readonly Stage[], env: NodeJS.ProcessEnv = {}, isBeside = false) => {
    for (const stage of stages.filter(chosen)) {
      counts.push(await runStage({ ...stage, env: { ...env, ...stage.env } }, { isBeside }));
    }
  };

  await runAll(STATIC);
  await ensureToolchain();
  const environment = await pulumiEnvironment(target);
  console.log(environment.plugins);
  // Some compute and the others wait: together they take little longer than one of them. Whichever is done first takes what is left.
  const left = [...ADMISSION, ...CONSUL, ...ETCD, ...PAGE, ...PROMETHEUS];
  const runLeft = async (isBeside: boolean) => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      await runAll([next], environment.env, isBeside);
  };
  const computing = async () => {
    await runAll(SERVICES, {}, true);
    await runAll(UNIT, {}, true);
    await runAll(PREVIEWS, environment.env, true);
    await runLeft(true);
  };
  const waiting = async () => {
    await runAll([...SIDECARS, ...CONTROLLER], environment.env);
    await runLeft(false);
  };
  await Promise.all([computing(), waiting()]);

  if ([...CLUSTER, ...onMesh].some(chosen)) {
    const wasUp = (await clusterStatus()).state !== "absent";
    await clusterUp();
    await runAll(CLUSTER, environment.env);
    if (onMesh.some(chosen)) {
      counts.push(await deployment());
      if (counts.at(-1)?.failed === 0) await runAll(onMesh, environment.env);
      if (only.length === 0 && wasUp) counts.push(await deployment());
    }
    if (only.length === 0 && !wasUp) await clusterDown();
  }

  const total = sum(counts);
  if (total.failures.length > 0) console.log(`\nFailures:\n${total.failures.map((line) => `- ${line}`).join("\n")}`);
  console.log(`\n${closingLine(total)}`);
  return total.failed === 0 ? 0 : 1;
}

/** `npm start`, as one test. */
async function deployment(): Promise<Counts> {
  console.log("\n=== deployment");
  if ((await start()) === 0) return { passed: 1, failed: 0 };
  return { passed: 0, failed: 1, failures: ["deployment: failed, so no test on the deployed mesh could run"] };
}

runMain(main);
