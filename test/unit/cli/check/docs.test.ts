import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKS } from "../../../../cli/check/all";
import { selected } from "../../../../cli/check/select";
import { withTables } from "../../../../dev/check-table";
import { checkoutDir } from "../../../../dev/paths";

const DOCS = join(checkoutDir, "docs");

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): readonly string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 _-]/g, "")
      .replaceAll(" ", "-"),
  );
}

describe("docs/check.md", () => {
  const page = readFileSync(join(DOCS, "check.md"), "utf8");

  it("has every check as it is: `npx tsx dev/write-check-table.ts`", () => {
    assert.equal(page, withTables(page));
    for (const { id } of CHECKS) assert.ok(page.includes(`<a id="${id}"></a>`), id);
  });

  it("leads to places that are there", () => {
    for (const { id, more } of CHECKS) {
      const [file = "", anchor = ""] = more.split("#");
      assert.ok(existsSync(join(DOCS, file)), `${id}: ${file}`);
      assert.ok(anchorsOf(readFileSync(join(DOCS, file), "utf8")).includes(anchor), `${id}: ${more}`);
    }
  });

  it("says how many there are of a stack", () => {
    assert.match(page, new RegExp(`of ${String(selected(CHECKS, {}, "consul").length)} checks`));
  });
});
