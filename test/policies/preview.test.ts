import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { binDir } from "../../dev/paths";
import { preparePlugins } from "../../dev/plugins/select";
import { LUCID_CEILING } from "../../policies/ceiling";
import { resourceRules, stackRules } from "../../policies/rules";
import { runPulumi, type Run } from "../run-pulumi";
import { ALSO_VIOLATED, happy, violations } from "./fixtures/stack";
import type { TestResource } from "./support/judge";

const PACK = path.resolve(__dirname, "../../policies");
const PROGRAM = path.join(__dirname, "programs", "mesh", "index.js");
const TIMEOUT_MS = 180_000;

/** A cluster that nobody can reach: previews need none. */
const KUBECONFIG = `
apiVersion: v1
kind: Config
clusters: [{ name: none, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: none, user: {} }]
contexts: [{ name: none, context: { cluster: none, user: none } }]
current-context: none
`;

/** The real CLI, engine, language host and analyzer on a real program, in a backend of its own. */
describe("pulumi preview --policy-pack policies", function () {
  this.timeout(TIMEOUT_MS);
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-preview-"));
  let searchPath: string;

  before(async () => {
    const { pathPrefix } = await preparePlugins();
    searchPath = [pathPrefix, binDir(), process.env.PATH].filter(Boolean).join(path.delimiter);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  describe("on a stack that violates each rule", () => {
    let preview: Run;
    before(async () => {
      preview = await run("violations", ["--config", "policy-preview:violations=true"]);
    });

    it("fails", () => {
      assert.notEqual(preview.status, 0, preview.output);
      assert.match(preview.output, /preview failed/);
    });

    for (const name of Object.keys(violations())) {
      const [rule = ""] = name.split(".");
      it(`${rule} refuses ${name}`, () => {
        assert.ok(reported(preview).has(`${rule} on ${name}`), preview.output);
      });
    }

    it("refuses nothing else, and finds every rule's violation mandatory", () => {
      const expected = Object.keys(violations()).flatMap((name) =>
        [name.split(".")[0] ?? "", ...(ALSO_VIOLATED[name] ?? [])].map((rule) => `${rule} on ${name}`),
      );
      // Two objects of one name can't both stand, so who reaches whom can't be told.
      const doubled = namesakes({ ...happy(), ...violations() }).map((name) => `stack-invariants on ${name}`);
      assert.deepEqual([...reported(preview)].sort(), [...new Set([...expected, ...doubled])].sort());
      assert.doesNotMatch(preview.output, /\[advisory\]|can't run policy/);
    });

    it("violates each rule of the pack", () => {
      const violated = new Set(Object.keys(violations()).map((name) => name.split(".")[0]));
      assert.deepEqual([...violated].sort(), [...resourceRules, ...stackRules].map(({ name }) => name).sort());
    });

    it("prints no key", () => {
      const policies = preview.output.slice(
        preview.output.indexOf("Policies:"),
        preview.output.indexOf("Diagnostics:"),
      );
      assert.doesNotMatch(policies, /-----BEGIN|MHcC/);
    });
  });

  describe("on a stack that violates nothing", () => {
    it("passes, with a member that the pack's own configuration adds", async () => {
      const preview = await configured("happy", { ceiling: { also: { members: { wallet: ["miner"] } } } }, "miner");
      assert.equal(preview.status, 0, preview.output);
      assert.deepEqual([...reported(preview)], []);
      assert.doesNotMatch(preview.output, /\[advisory\]|\[mandatory\]|can't run policy/);
    });
  });

  /** Rule and resource of every mandatory violation that a preview prints. */
  function reported({ output }: Run): Set<string> {
    const lines = output.matchAll(/\[mandatory\].*?\s([a-z-]+)\s+\([^()]*?: ([\w.-]+)\)/g);
    return new Set([...lines].map(([, rule = "", name = ""]) => `${rule} on ${name}`));
  }

  async function run(stack: string, args: readonly string[]): Promise<Run> {
    // Pulumi writes the salt of the passphrase beside the project file, so the project lies outside the checkout.
    const project = path.join(folder, stack);
    const backend = path.join(project, "backend");
    mkdirSync(backend, { recursive: true });
    const runtime = { name: "nodejs", options: { typescript: false } };
    writeFileSync(
      path.join(project, "Pulumi.yaml"),
      JSON.stringify({ name: "policy-preview", runtime, main: PROGRAM }),
    );
    const config = { "policy-preview:kubeconfig": KUBECONFIG };
    writeFileSync(path.join(project, `Pulumi.${stack}.yaml`), JSON.stringify({ config }));
    const env = {
      ...process.env,
      PATH: searchPath,
      PULUMI_BACKEND_URL: `file://${backend}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const common = ["--cwd", project, "--non-interactive", "--color", "never"];
    const made = await runPulumi(["stack", "init", stack, ...common], env);
    assert.equal(made.status, 0, made.output);
    return runPulumi(["preview", ...common, "--stack", stack, "--policy-pack", PACK, ...args], env);
  }
});

/** Names in the program of what decides who reaches whom, where two bear one name in the cluster. */
function namesakes(resources: Readonly<Record<string, TestResource>>): string[] {
  const deciding = Object.entries(resources).filter(([, { type }]) =>
    /:(Namespace|NetworkPolicy|ServiceAccount|ConfigMap|Deployment|Job|CronJob)$/.test(type),
  );
  const titleOf = ({ type, properties }: TestResource) => {
    const { namespace, name } = properties.metadata as { namespace?: string; name: string };
    return `${type} ${namespace ?? ""}/${name}`;
  };
  const titles = deciding.map(([, resource]) => titleOf(resource));
  return deciding.flatMap(([name, resource]) =>
    titles.filter((title) => title === titleOf(resource)).length > 1 ? [name] : [],
  );
}
