/** A document of many services, and the ceiling that lets them be. */
import { dump, load } from "js-yaml";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { checkoutDir } from "../../../dev/paths";
import { membersWith, policyConfig } from "../../integration/support/ceiling";
import type { WrittenDocument } from "../../integration/support/stacks/variation";

const ZONE = "ops";
/** Calls of each service: its neighbours'. */
const CALLS = 3;

/** Files that a preview of so many services needs. */
export interface ManyServices {
  readonly document: string;
  /** The pack's configuration. */
  readonly ceiling: string;
}

/** Writes Lucid's document with so many services in all, and its ceiling raised for them. */
export function writeManyServices(count: number, folder: string): ManyServices {
  const written = load(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8")) as WrittenDocument;
  const names = Array.from({ length: count - written.services.length }, (_, index) => `service-${String(index + 1)}`);
  written.zones[ZONE]?.members.push(...names);
  names.forEach((name, index) => {
    const callees = Array.from({ length: CALLS }, (_, step) => names[(index + step + 1) % names.length] ?? name);
    written.services.push({
      name,
      plane: ZONE,
      image: "fortio/fortio:1.66.2",
      version: "1.0.0",
      ports: [{ name: "http", port: 8080, protocol: "http" }],
      calls: callees.filter((callee) => callee !== name).map((service) => ({ service })),
    });
  });
  const files = { document: path.join(folder, "mesh.yaml"), ceiling: path.join(folder, "ceiling.json") };
  writeFileSync(files.document, dump(written));
  writeFileSync(files.ceiling, JSON.stringify(policyConfig({ members: membersWith(ZONE, names) })));
  return files;
}
