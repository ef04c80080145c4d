import { createTwoFilesPatch } from "diff";
import { writeFileSync } from "node:fs";

/** Prints what changes in a file, and writes it unless it is only tried. */
export function writeChange(file: string, before: string, after: string, dryRun: boolean): void {
  const patch = createTwoFilesPatch(file, file, before, after, "", "", { context: 3 });
  console.log(patch.slice(patch.indexOf("--- ")).trimEnd());
  if (dryRun) {
    console.log(`${file} was not written (--dry-run)`);
  } else {
    writeFileSync(file, after);
    console.log(
      `${file} is written; \`pulumi preview\` shows what it changes, \`pulumi up\` brings it to the sidecars`,
    );
  }
}
