/** Writes the tables of docs/check.md: `npx tsx dev/write-check-table.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withTables } from "./check-table";

const file = join(__dirname, "..", "docs", "check.md");
writeFileSync(file, withTables(readFileSync(file, "utf8")));
console.log("docs/check.md written");
