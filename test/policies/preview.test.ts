import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { binDir } from "../../dev/paths";
import { preparePlugins } from "../../dev/plugins/select";
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
      const also = { members: { wallet: ["miner"] } };
      const preview = await configured("happy", { ceiling: { also } }, "policy-preview:member=miner");
      assert.equal(preview.status, 0, preview.output);
      assert.deepEqual([...reported(preview)], []);
      assert.doesNotMatch(preview.output, /\[advisory\]|\[mandatory\]|can't run policy/);
    });

    it("is refused by a ceiling that can't be read, which says what is wrong, where, and the mend", async () => {
      const edge = { from: "wallet/payout-router", to: "ops/jaeger", port: "15001/TCP", reason: "spans" };
      const preview = await configured("unreadable", {
        ceiling: { membres: {}, also: { edges: [edge] } },
        "members-only": { members: { wallet: ["miner"] } },
      });
      assert.notEqual(preview.status, 0, preview.output);
      assert.match(
        preview.output,
        /ceiling: the key membres is none of the ceiling's; take one of members, infrastructure/,
      );
      assert.match(
        preview.output,
        /ceiling\.also\.edges\[0\]: the key port is none of the ceiling's; take one of from, to, ports/,
      );
      assert.match(preview.output, /ceiling\.also\.edges\[0\]\.ports: it is missing/);
      assert.match(
        preview.output,
        /members-only\.members: the rule has no parameter `members`; take it out .* under `ceiling`/,
      );
      for (const { name } of [...resourceRules, ...stackRules]) {
        assert.ok(reported(preview).has(`${name} on policy-preview-unreadable`), name);
      }
    });
  });

  describe("on a stack with few violations", () => {
    const VIOLATIONS = "policy-preview:violations=services-internal-only.node-port,service-account-tokens.account";
    const LEVEL = { "service-account-tokens": { enforcementLevel: "advisory" } };
    const exception = {
      rule: "services-internal-only",
      object: "Service lucid-mesh/consul",
      finding: "the Service's type is `NodePort`",
      reason: "Moves to a port-forward with the new console",
      owner: "ops@lucid.internal",
      until: day(30),
    };

    it("passes by an exception and by a rule's own level, and warns of an exception that lifts nothing", async () => {
      const stale = { ...exception, object: "Service lucid-mesh/gone" };
      const preview = await configured(
        "excepted",
        { ceiling: { exceptions: [exception, stale] }, ...LEVEL },
        VIOLATIONS,
      );
      assert.equal(preview.status, 0, preview.output);
      assert.deepEqual([...reported(preview)], []);
      assert.match(preview.output, /\[advisory\].*service-account-tokens/);
      assert.match(preview.output, /\[advisory\].*ceiling-notes/);
      assert.match(
        preview.output,
        /the exception to services-internal-only for Service lucid-mesh\/gone lifts nothing here/,
      );
      assert.doesNotMatch(preview.output, /for Service lucid-mesh\/consul lifts nothing/);
    });

    it("is refused once the exception is over, for that as well", async () => {
      const over = { ...exception, until: day(-1) };
      const preview = await configured("over", { ceiling: { exceptions: [over] }, ...LEVEL }, VIOLATIONS);
      assert.notEqual(preview.status, 0, preview.output);
      assert.deepEqual([...reported(preview)].sort(), [
        "ceiling on policy-preview-over",
        "services-internal-only on services-internal-only.node-port",
      ]);
      assert.match(
        preview.output,
        /the exception for Service lucid-mesh\/consul ended with .*; ops@lucid\.internal answers for it/,
      );
    });
  });

  /** A preview with a configuration of the pack. */
  function configured(stack: string, config: object, ...settings: readonly string[]): Promise<Run> {
    const file = path.join(folder, `${stack}.json`);
    writeFileSync(file, JSON.stringify(config));
    return run(stack, ["--policy-pack-config", file, ...settings.flatMap((setting) => ["--config", setting])]);
  }

  /** A day from today on. */
  function day(offset: number): string {
    return new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  }

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
    /:(Namespace|NetworkPolicy|ServiceAccount|ConfigMap|Deployment|Job|CronJob|AclPolicy)$/.test(type),
  );
  const titleOf = ({ type, properties }: TestResource) => {
    const { namespace, name } = (properties.metadata ?? properties) as { namespace?: string; name: string };
    return `${type} ${namespace ?? ""}/${name}`;
  };
  const titles = deciding.map(([, resource]) => titleOf(resource));
  return deciding.flatMap(([name, resource]) =>
    titles.filter((title) => title === titleOf(resource)).length > 1 ? [name] : [],
  );
}
