import * as fs from "node:fs";
import * as path from "node:path";

/**
 * Writes a configuration file, and the directories above it, unless it says the same already: some programs (kube-proxy)
 * end as soon as their configuration is written to.
 */
export function writeFile(file: string, text: string): void {
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === text) {
    return;
  }
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
