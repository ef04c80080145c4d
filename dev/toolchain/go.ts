import * as fs from "node:fs";
import * as path from "node:path";

import type { GoTool, goTools } from "./catalog";
import { run, runLogged } from "./command";
import { Refusal } from "./failure";
import { buildKey, readSources } from "./key";
import type { Step, StepContext } from "./step";
import type { Store } from "./store";

/** What `go env` says of this machine's Go. */
export interface GoEnvironment {
  /** Version and target, as one text: part of each build's key. */
  readonly compiler: string;
  /** Folders that a build fills beside the toolchain's cache. */
  readonly caches: readonly string[];
}

const asked = ["GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT"] as const;

/**
 * Asks the installed Go.
 * @throws Refusal when there is none
 */
export async function goEnvironment(): Promise<GoEnvironment> {
  const result = await run("go", ["env", "-json", ...asked, "GOMODCACHE", "GOCACHE"]);
  if (result.code !== 0) {
    throw new Refusal(
      `Go can't be run (${result.exit}): install Go 1.25 or later (https://go.dev/dl), put it on PATH and run again.`,
    );
  }
  const values = JSON.parse(result.stdout) as Partial<Record<string, string>>;
  return {
    compiler: asked.map((name) => `${name}=${values[name] ?? ""}`).join(" "),
    caches: [values.GOMODCACHE, values.GOCACHE].filter((folder) => folder !== undefined && folder !== "") as string[],
  };
}

/** What the build sees of the environment; the rest of the user's Go settings (proxy, caches) stays as it is. */
const buildEnvironment = {
  CGO_ENABLED: "0", // The binaries go into images that hold nothing else.
  GOFLAGS: "-mod=readonly", // The user's own would change the result, or what go.sum pins.
  GOWORK: "off",
} as const;

/** The arguments of `go build`, but for the place of the result. */
export function goArguments(tool: GoTool): readonly string[] {
  const variables = Object.entries(tool.variables).map(([name, value]) => ` -X ${name}=${value}`);
  return ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", `-s -w${variables.join("")}`];
}

/** The step that builds one tool from `<modules>/<tool>`. */
export function goStep(
  tool: GoTool & { name: (typeof goTools)[number]["name"] },
  modules: string,
  store: Store,
  go: GoEnvironment,
): Step {
  const folder = path.join(modules, tool.name);
  const scripts = tool.scripts?.files ?? [];
  const programs = [tool.name, ...tool.aliases, ...scripts.map((file) => path.basename(file))];
  const key = buildKey({
    tool: tool.name,
    files: readSources(folder),
    arguments: [
      ...goArguments(tool),
      tool.package,
      ...programs,
      ...Object.entries(buildEnvironment).map(([name, value]) => `${name}=${value}`),
    ],
    compiler: go.compiler,
  });
  const title = `${tool.name} ${tool.version}`;

  return {
    part: tool.name,
    title,
    lane: "go",
    coldMinutes: tool.coldMinutes,
    coldGigabytes: tool.coldGigabytes,
    isReady: () => Promise.resolve(store.activate(tool.name, key, programs)),
    check: () => Promise.resolve(),
    work: async (context) => {
      await store.add(tool.name, key, async (target) => {
        await build(tool, title, folder, target, context);
        for (const alias of tool.aliases) {
          fs.symlinkSync(tool.name, path.join(target, alias));
        }
        if (tool.scripts !== undefined) {
          await copyScripts(tool.scripts, title, folder, target, context);
        }
      });
      store.activate(tool.name, key, programs);
    },
  };
}

async function build(tool: GoTool, title: string, folder: string, target: string, context: StepContext): Promise<void> {
  let compiled = 0;
  let downloaded = 0;
  await runLogged({
    step: title,
    logFile: context.logFile,
    command: "go",
    args: [...goArguments(tool), "-o", path.join(target, tool.name), tool.package],
    cwd: folder,
    env: buildEnvironment,
    signal: context.signal,
    onLine: (line) => {
      if (line.startsWith("go: downloading ")) {
        downloaded++;
        context.running.note(`${String(downloaded)} modules downloaded`);
      } else if (/^[\w.~/-]+$/.test(line)) {
        compiled++;
        context.running.note(`${String(compiled)} packages compiled`);
      }
    },
    onRetry: (seconds) => {
      context.running.note(`the network failed; trying again after ${String(seconds)} s`);
    },
  });
}

async function copyScripts(
  scripts: NonNullable<GoTool["scripts"]>,
  title: string,
  folder: string,
  target: string,
  context: StepContext,
): Promise<void> {
  const listed = await runLogged({
    step: title,
    logFile: context.logFile,
    command: "go",
    args: ["list", "-m", "-f", "{{.Dir}}", scripts.module],
    cwd: folder,
    env: buildEnvironment,
    signal: context.signal,
  });
  for (const file of scripts.files) {
    const copy = path.join(target, path.basename(file));
    fs.copyFileSync(path.join(listed.stdout.trim(), file), copy);
    fs.chmodSync(copy, 0o755); // Files of the module cache are read-only and not executable.
  }
}
