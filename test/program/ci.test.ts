import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { load } from "js-yaml";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { binDir, checkoutDir } from "../../dev/paths";
import { preparePlugins } from "../../dev/plugins/select";

const EXAMPLE = path.join(checkoutDir, "examples", "ci");
const CALL = "      - service: tron-payment\n        ports: [http, grpc]\n";

/** The script that users copy, by the real CLI, engine and pack, in a repository of its own and with no cluster in reach. */
describe("examples/ci/check-mesh.sh", function () {
  this.timeout(600_000);
  let project: string;
  let searchPath: string;

  const git = (...args: readonly string[]) => {
    const identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
    const { status, stderr } = spawnSync("git", [...identity, ...args], { cwd: project, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };
  const check = (...args: readonly string[]) => {
    // Nothing that could be a secret, and no cluster.
    const env = { PATH: searchPath, HOME: project, LUCID_MESH_CACHE: path.dirname(binDir()) };
    const { status, stdout, stderr } = spawnSync("./check-mesh.sh", args, { cwd: project, env, encoding: "utf8" });
    const read = (name: string) => readFileSync(path.join(project, "mesh-check", name), "utf8");
    return { status, stdout, stderr, read };
  };
  const changed = (change: (document: string) => string) => {
    const file = path.join(project, "mesh.yaml");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, change(before));
    assert.notEqual(readFileSync(file, "utf8"), before);
  };

  before(async () => {
    const { pathPrefix } = await preparePlugins();
    searchPath = [pathPrefix, binDir(), process.env.PATH].filter(Boolean).join(path.delimiter);
    project = mkdtempSync(path.join(tmpdir(), "lucid-ci-"));
    const listed = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
      cwd: checkoutDir,
      encoding: "utf8",
    });
    for (const name of listed.stdout.split("\n")) {
      if (name === "" || /^(test|docs)\//.test(name) || !existsSync(path.join(checkoutDir, name))) continue;
      mkdirSync(path.dirname(path.join(project, name)), { recursive: true });
      cpSync(path.join(checkoutDir, name), path.join(project, name));
    }
    for (const service of readdirSync(path.join(checkoutDir, "services")))
      cpSync(path.join(checkoutDir, "services", service, "dist"), path.join(project, "services", service, "dist"), {
        recursive: true,
      });
    symlinkSync(path.join(checkoutDir, "node_modules"), path.join(project, "node_modules"));
    // The command sees to npm's dependencies by itself; the installed ones are a link here.
    const { scripts, ...rest } = JSON.parse(readFileSync(path.join(project, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const mesh = "node --import tsx cli/main.ts";
    writeFileSync(path.join(project, "package.json"), JSON.stringify({ ...rest, scripts: { ...scripts, mesh } }));
    cpSync(path.join(EXAMPLE, "check-mesh.sh"), path.join(project, "check-mesh.sh"));
    git("init", "--quiet", "--initial-branch", "main");
    git("add", "--all");
    git("commit", "--quiet", "--message", "base");
  });
  beforeEach(() => {
    git("checkout", "--quiet", "--", ".");
  });
  after(() => {
    rmSync(project, { recursive: true });
  });

  it("passes a change, and comments exactly what it closes, with the matrix folded", () => {
    changed((document) => document.replace(CALL, ""));
    const { status, stdout, stderr, read } = check("main");
    assert.equal(status, 0, stdout + stderr);
    const comment = read("comment.md");
    assert.equal(comment, stdout);
    assert.match(comment, /^<!-- mesh-check -->\n### Who reaches whom\n\n✅/);
    assert.match(comment, /^Against `main`:$/m);
    assert.deepEqual(comment.match(/^\| (\*\*opens\*\*|closes) .*$/gm), [
      "| closes | Wallet/payout-router → Wallet/tron-payment | 15001/TCP |",
      "| closes | Wallet/payout-router → Wallet/tron-payment | grpc: everything |",
      "| closes | Wallet/payout-router → Wallet/tron-payment | http: everything |",
    ]);
    assert.match(comment, /<details><summary>[\s\S]*<\/details>/);
    assert.match(comment, /✅ Preview and policy pack: nothing is refused\./);
    assert.match(comment, /✅ Certificates/);
    assert.match(read("reachability.html"), /^<!doctype html>/);
    assert.doesNotMatch(comment + read("preview.log"), /-----BEGIN/);
  });

  it("refuses what the pack refuses, and says so in the comment", () => {
    changed((document) =>
      document
        .replace("members: [admin-ui, prometheus, jaeger]", "members: [admin-ui, prometheus, jaeger, miner]")
        .concat(
          "  - { name: miner, plane: ops, image: 'fortio/fortio:1.66.2', version: '1.0.0', ports: [{ name: http, port: 8080, protocol: http }] }\n",
        ),
    );
    const { status, stdout, stderr, read } = check("main");
    assert.equal(status, 1, stdout + stderr);
    assert.match(read("comment.md"), /❌ Preview or policy pack: the change is refused/);
    assert.match(read("preview.log"), /members-only/);
  });

  it("ends with status 2 where there is no such base, or the stack's values are encrypted", () => {
    assert.match(check("no-such-branch").stderr, /there is no commit no-such-branch; fetch the base branch/);
    assert.equal(check("no-such-branch").status, 2);
    writeFileSync(path.join(project, "Pulumi.dev.yaml"), "config:\n  lucid-mesh:kubeconfig:\n    secure: AAAA\n");
    const { status, stderr } = check("main");
    assert.equal(status, 2);
    assert.match(stderr, /Pulumi\.dev\.yaml holds encrypted values/);
  });
});

interface Job {
  readonly permissions?: Record<string, string>;
  readonly if?: string;
  readonly steps: readonly { readonly uses?: string; readonly run?: string; readonly with?: Record<string, unknown> }[];
}

describe("examples/ci/github-actions.yml", () => {
  const text = readFileSync(path.join(EXAMPLE, "github-actions.yml"), "utf8");
  const workflow = load(text) as { on: object; permissions: object; jobs: Record<string, Job> };

  it("is a workflow, by the schema of GitHub Actions", async () => {
    const { validateWorkflow } = await import("@action-validator/core");
    assert.deepEqual(validateWorkflow(text).errors, []);
    assert.notDeepEqual(validateWorkflow(text.replace("runs-on", "run-on")).errors, []);
  });

  it("pins every action by its digest", () => {
    const used = Object.values(workflow.jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
    assert.ok(used.length >= 4);
    for (const action of used) assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  it("gives the job that runs the pull request's code no secret and no right but to read", () => {
    assert.deepEqual(Object.keys(workflow.on), ["pull_request"]);
    assert.deepEqual(workflow.permissions, {});
    assert.deepEqual(workflow.jobs.check?.permissions, { contents: "read" });
    assert.doesNotMatch(text, /secrets\.|pull_request_target|workflow_run/);
    assert.equal(workflow.jobs.check.steps[0]?.with?.["persist-credentials"], false);
  });

  it("comments without the pull request's code, and for no fork", () => {
    const { comment } = workflow.jobs;
    assert.deepEqual(comment?.permissions, { "pull-requests": "write" });
    assert.match(comment.if ?? "", /head\.repo\.full_name == github\.repository/);
    assert.ok(
      comment.steps.every(
        ({ uses, run }) => uses?.startsWith("actions/checkout@") !== true && run?.includes("${{") !== true,
      ),
    );
  });
});
