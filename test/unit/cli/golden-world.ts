import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { Enforced } from "../../../cli/enforced/world";
import { checkoutDir } from "../../../dev/paths";
import type { SidecarFiles } from "../../../envoy";
import type { Mesh, Service } from "../../../mesh";
import { SETTINGS } from "./fixture";

/** The kept files of a mesh's sidecars, in place of what would be rendered now. */
export class GoldenWorld extends Enforced {
  private readonly folder: string;

  constructor(mesh: Mesh, golden: string) {
    super(mesh, SETTINGS);
    this.folder = path.join(checkoutDir, "test", "golden", "files", "envoy", golden);
    assert.deepEqual(readdirSync(this.folder).sort(), mesh.services.map(({ name }) => name).sort());
  }

  override sidecar({ name }: Pick<Service, "name">): SidecarFiles {
    const folder = path.join(this.folder, name);
    const texts = readdirSync(folder).map((file) => [file, readFileSync(path.join(folder, file), "utf8")] as const);
    return Object.fromEntries(texts) as unknown as SidecarFiles;
  }
}
