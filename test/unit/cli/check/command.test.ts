import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../../cli/program";
import { checkoutDir } from "../../../../dev/paths";
import { recordedContext } from "./recorded-cluster";
import type { RecordedCluster } from "./recorded-cluster";
import { serve } from "./served";
import type { Served } from "./served";

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command itself, and an API server. */
describe("mesh check", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "lucid-check-"));
  let cluster: RecordedCluster;
  let served: Served;

  before(async () => {
    for (const name of ["Pulumi.yaml", "Pulumi.dev.yaml", "mesh.yaml"])
      copyFileSync(join(checkoutDir, name), join(folder, name));
    cluster = (await recordedContext()).cluster;
    served = await serve(cluster);
    writeFileSync(join(folder, "kubeconfig"), kubeconfig(served.server));
    writeFileSync(join(folder, "nowhere"), kubeconfig("http://127.0.0.1:9"));
  });
  after(() => {
    served.close();
    rmSync(folder, { recursive: true });
  });

  /** The command as a process of its own. */
  const started = (...args: readonly string[]) =>
    new Promise<Ended>((resolve) => {
      const command = [join(checkoutDir, "cli", "mesh.cjs"), "--cwd", folder, "check", ...args];
      const child = spawn(process.execPath, command, { cwd: folder });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      child.on("close", (status) => {
        resolve({ status, stdout, stderr });
      });
    });

  /** The command in this process, in the project's folder. */
  const mesh = async (...args: readonly string[]): Promise<Ended> => {
    const cwd = process.cwd();
    const { log, error } = console;
    const write = process.stderr.write.bind(process.stderr);
    let [stdout, stderr] = ["", ""];
    console.log = (text: string) => (stdout += `${text}\n`);
    console.error = (text: string) => (stderr += `${text}\n`);
    process.stderr.write = (text: string | Uint8Array) => {
      stderr += String(text);
      return true;
    };
    process.chdir(folder);
    try {
      return { status: await run(args), stdout, stderr };
    } finally {
      process.chdir(cwd);
      Object.assign(console, { log, error });
      process.stderr.write = write;
    }
  };

  it("ends well before an installation on a cluster that is fit, having changed nothing", async () => {
    const { status, stdout, stderr } = await started("--pre", "--kubeconfig", "kubeconfig");
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^stack dev, cluster test \(http:\/\/127\.0\.0\.1:\d+\)$/m);
    assert.match(stdout, /^√ the API server is Kubernetes 1\.30 or newer \(v1\.34\.2\)$/m);
    assert.doesNotMatch(stdout, /^identity$/m);
    for (const request of served.requests)
      assert.match(request, /^GET |^POST .*(\?dryRun=All|selfsubjectaccessreviews)$/);
  });

  it("ends with status 1 where something does not hold, as JSON too, by what is asked for alone", async () => {
    cluster.paths.set("/version", { gitVersion: "v1.28.1" });
    const { status, stdout } = await mesh("check", "--only", "node-versions", "--json", "--kubeconfig", "kubeconfig");
    cluster.paths.set("/version", { gitVersion: "v1.34.2" });
    assert.equal(status, 1, stdout);
    const report = JSON.parse(stdout) as { holds: boolean; checks: { id: string; status: string; reason?: string }[] };
    assert.equal(report.holds, false);
    assert.deepEqual(
      report.checks.map(({ id, status: found }) => [id, found]),
      [
        ["kubernetes-version", "failure"],
        ["node-versions", "skipped"],
      ],
    );
  });

  it("waits until it holds", async () => {
    cluster.texts.set("/readyz?verbose", { status: 500, body: "[-]etcd failed" });
    const mended = setTimeout(() => cluster.texts.set("/readyz?verbose", { status: 200, body: "ok" }), 4000);
    const { status, stdout } = await mesh("check", "--only", "api-ready", "--wait", "60", "--kubeconfig", "kubeconfig");
    clearTimeout(mended);
    assert.equal(status, 0, stdout);
  });

  it("says what it can of a cluster where the stack can't be read", async () => {
    const { status, stdout } = await mesh("check", "--only", "document,api-ready", "--kubeconfig", "kubeconfig");
    assert.equal(status, 0, stdout);
    writeFileSync(join(folder, "Pulumi.other.yaml"), "config: {}\n");
    const { status: ended, stdout: text } = await mesh(
      "--stack",
      "other",
      "check",
      "--only",
      "document,api-ready",
      "--kubeconfig",
      "kubeconfig",
    );
    assert.equal(ended, 1, text);
    assert.match(text, /^× the stack's configuration and the mesh document are valid$/m);
    assert.match(text, /^√ the API server is ready$/m);
  });

  const WRONG: readonly (readonly [title: string, args: readonly string[], tells: RegExp])[] = [
    [
      "a cluster that does not answer",
      ["--only", "api-ready", "--kubeconfig", "nowhere"],
      /gives no answer .*kubectl version/,
    ],
    ["a kubeconfig that is not there", ["--kubeconfig", "none"], /none, the kubeconfig that .* is not there/],
    [
      "a stack's kubeconfig that is not there",
      ["--pre"],
      /\.state\/kubeconfig, the kubeconfig that the stack names, is not there/,
    ],
    [
      "a context that is not there",
      ["--kubeconfig", "kubeconfig", "--context", "none"],
      /has no context none.*it has test/,
    ],
    ["a word that names no check", ["--only", "nothing"], /--only nothing: there is no such category/],
    ["a time that is none", ["--wait", "soon"], /whole number of seconds/],
  ];
  for (const [title, args, tells] of WRONG) {
    it(`refuses ${title}, with status 2`, async () => {
      const { status, stdout, stderr } = await mesh("check", ...args);
      assert.equal(status, 2, stdout);
      assert.match(stderr, tells);
    });
  }
});

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "test", user: { token: "of-the-test" } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}
