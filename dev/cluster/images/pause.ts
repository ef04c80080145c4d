import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

import { Refusal } from "../../toolchain";
import { run } from "../commands";

const kubernetesModule = path.join(__dirname, "..", "..", "toolchain", "modules", "kubernetes");
const source = path.join("build", "pause", "linux", "pause.c");

/**
 * Path of Kubernetes' `pause` program, compiled from the C source inside the pinned module that the other programs of
 * Kubernetes are built from.
 *
 * @throws Refusal when there is no C compiler
 */
export async function pauseProgram(directory: string, version: string): Promise<string> {
  const key = createHash("sha256")
    .update(fs.readFileSync(path.join(kubernetesModule, "go.sum")))
    .digest("hex");
  const target = path.join(directory, `pause-${key.slice(0, 16)}`);
  if (fs.existsSync(target)) {
    return target;
  }
  fs.mkdirSync(directory, { recursive: true });
  const module = `k8s.io/kubernetes@v${version}`;
  const listing = await run("go", ["-C", kubernetesModule, "mod", "download", "-json", module]);
  const answer: unknown = JSON.parse(listing);
  if (typeof answer !== "object" || answer === null || !("Dir" in answer) || typeof answer.Dir !== "string") {
    throw new Refusal(`the source of ${module} can't be had; run 'npx tsx dev/toolchain/main.ts --only kubernetes'`);
  }
  const temporary = `${target}.${String(process.pid)}`;
  await run("cc", ["-Os", "-static", `-DVERSION=v${version}`, "-o", temporary, path.join(answer.Dir, source)]).catch(
    (error: unknown) => {
      throw new Refusal(
        `the pause program can't be compiled (${error instanceof Error ? error.message : String(error)}); ` +
          "install the Debian packages gcc and libc6-dev",
      );
    },
  );
  fs.renameSync(temporary, target);
  return target;
}
