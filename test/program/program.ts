import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dump, load } from "js-yaml";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { binDir, checkoutDir } from "../../dev/paths";
import { preparePlugins } from "../../dev/plugins/select";
import { DEFAULT_STACK, stackConfig } from "../../dev/stack";
import { runPulumi, type Run } from "../run-pulumi";

/** Name of the stack in the backend of its own. */
const STACK = "refusals";

/** A resource as it stands in a state. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** The real program of a project with the real CLI, in a backend that nothing else uses, and with no cluster in reach. */
export class Program {
  private constructor(
    /** Where the project is. */
    private readonly project: string,
    private readonly name: string,
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly stack: string,
  ) {}

  /**
   * Prepares the plugins and makes an empty stack. Pulumi writes the salt of a passphrase into configuration files, so none of the project's is used.
   *
   * @param project folder with a Pulumi.yaml. Default: the checkout's own.
   * @param stack the stack's name
   */
  static async prepare(project = checkoutDir, stack = STACK): Promise<Program> {
    const { pathPrefix } = await preparePlugins();
    const folder = mkdtempSync(path.join(tmpdir(), "lucid-program-"));
    const backend = path.join(folder, "backend");
    mkdirSync(backend);
    const file = path.join(project, "Pulumi.yaml");
    copyFileSync(file, path.join(folder, "Pulumi.yaml"));
    const { name } = load(readFileSync(file, "utf8")) as { name: string };
    const program = new Program(
      project,
      name,
      folder,
      {
        ...process.env,
        PATH: [pathPrefix, binDir(), process.env.PATH].filter(Boolean).join(path.delimiter),
        // Not even the ambient cluster, if there is one.
        KUBECONFIG: path.join(folder, "no-such-kubeconfig"),
        PULUMI_BACKEND_URL: `file://${backend}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      },
      stack,
    );
    const made = await program.pulumi(["stack", "init", stack, "--cwd", folder]);
    assert.equal(made.status, 0, made.output);
    return program;
  }

  /**
   * `pulumi preview` of stack `dev` with some of its settings changed.
   *
   * @param changes by key, without the project's prefix.
   */
  async preview(changes: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Run> {
    return this.run("preview", changes, args);
  }

  /** `pulumi up` without anybody being asked, or shown what it will do. */
  async upUnseen(changes: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Run> {
    return this.run("up", changes, ["--yes", "--skip-preview", ...args]);
  }

  /** Types of what the stack holds. */
  async held(): Promise<readonly string[]> {
    return (await this.state()).map(({ type }) => type);
  }

  /** All that the stack holds, secrets in clear text. */
  async state(): Promise<readonly StateResource[]> {
    const shown = ["stack", "export", "--show-secrets", "--cwd", this.project, "--stack", this.stack];
    const { status, output } = await this.pulumi(shown);
    assert.equal(status, 0, output);
    return (JSON.parse(output) as { deployment: { resources?: StateResource[] } }).deployment.resources ?? [];
  }

  private async run(command: string, changes: Readonly<Record<string, string>>, args: readonly string[]): Promise<Run> {
    const configFile = path.join(this.project, `Pulumi.${DEFAULT_STACK}.yaml`);
    const settings = {
      kubeconfig: path.join(this.folder, "no-such-kubeconfig"),
      ...(this.project === checkoutDir ? { consulForwardPort: "18597" } : {}),
      ...changes,
    };
    const config = {
      ...stackConfig(readFileSync(configFile, "utf8"), path.basename(configFile)),
      ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${this.name}:${key}`, value])),
    };
    const made = load(readFileSync(path.join(this.folder, `Pulumi.${this.stack}.yaml`), "utf8")) as object;
    const file = path.join(mkdtempSync(path.join(this.folder, "config-")), `Pulumi.${this.stack}.yaml`);
    writeFileSync(file, dump({ ...made, config }));
    return this.pulumi([command, "--cwd", this.project, "--stack", this.stack, "--config-file", file, ...args]);
  }

  /** Makes another project's stack in the same backend, which ended with these outputs. */
  async otherStack(project: string, stack: string, outputs: Readonly<Record<string, unknown>>): Promise<void> {
    const folder = mkdtempSync(path.join(this.folder, "other-"));
    writeFileSync(path.join(folder, "Pulumi.yaml"), dump({ name: project, runtime: "nodejs" }));
    const type = "pulumi:pulumi:Stack";
    const urn = `urn:pulumi:${stack}::${project}::${type}::${project}-${stack}`;
    const state = path.join(folder, "state.json");
    const resources = [{ urn, custom: false, type, outputs }];
    writeFileSync(
      state,
      JSON.stringify({
        version: 3,
        deployment: { manifest: { time: "2026-01-01T00:00:00Z", magic: "", version: "" }, resources },
      }),
    );
    for (const args of [
      ["stack", "init", stack],
      ["stack", "import", "--stack", stack, "--file", state],
    ]) {
      const { status, output } = await this.pulumi([...args, "--cwd", folder]);
      assert.equal(status, 0, output);
    }
  }

  /** Removes the backend. */
  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }

  private async pulumi(args: readonly string[]): Promise<Run> {
    return runPulumi([...args, "--non-interactive", "--color", "never"], this.env);
  }
}
