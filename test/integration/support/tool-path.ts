import * as fs from "node:fs";
import * as path from "node:path";
import { binDir } from "../../../dev/paths";

/** The path of a tool that the toolchain builds. Throws where it was not built. */
export function toolPath(name: string): string {
  const file = path.join(binDir(), name);
  if (!fs.existsSync(file)) {
    throw new Error(`no ${name} at ${file}: \`npm run toolchain -- --only ${name}\` builds it`);
  }
  return file;
}
