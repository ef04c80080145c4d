import { execFile } from "node:child_process";
import { checkoutDir } from "../../../dev/paths";

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The `mesh` command as a process of its own, on the stack's cluster. */
export function runMesh(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const options = { cwd: checkoutDir, maxBuffer: 2 ** 26 };
    const child = execFile(process.execPath, ["cli/mesh.cjs", ...args], options, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
    child.on("error", reject);
    child.stdin?.end();
  });
}
