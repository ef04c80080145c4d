/** Writes mesh/mesh.schema.json, the JSON Schema by which editors check mesh.yaml: `npx tsx dev/write-schema.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { meshJsonSchema } from "../mesh";

async function main(): Promise<void> {
  const file = join(__dirname, "..", "mesh", "mesh.schema.json");
  const options = await resolveConfig(file);
  writeFileSync(file, await format(JSON.stringify(meshJsonSchema()), { ...options, parser: "json" }));
  console.log("mesh/mesh.schema.json written");
}

void main();
