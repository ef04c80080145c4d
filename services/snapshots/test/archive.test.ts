import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { ArchiveError, verifyArchive } from "../src/archive.js";
import { archiveOf, members } from "./support/archives.js";
import { testFolder } from "./support/folder.js";

describe("a snapshot's archive", () => {
  const folder = testFolder();
  const verify = (content: Buffer) => {
    const file = join(folder.path, "a.snap");
    writeFileSync(file, content);
    return verifyArchive(file);
  };

  it("is good where every member is what its checksum says", async () => {
    assert.deepEqual(await verify(await archiveOf(members())), { index: 42, term: 2 });
    assert.deepEqual(await verify(await archiveOf(members("x".repeat(3_000_000)))), { index: 42, term: 2 });
  });

  const good = members();
  const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([member]) => member !== name));
  const refused: readonly [what: string, files: Readonly<Record<string, string>>, finds: RegExp][] = [
    ["another state than the sum says", { ...good, "state.bin": "another" }, /state\.bin is not what/],
    ["another index than the sum says", { ...good, "meta.json": '{"Index":43,"Term":2}' }, /meta\.json is not what/],
    ["no state", without("state.bin"), /no state\.bin/],
    ["no sums", without("SHA256SUMS"), /no SHA256SUMS/],
    ["no sum of the state", { ...good, SHA256SUMS: good.SHA256SUMS.split("\n")[0] ?? "" }, /state\.bin is not what/],
    ["something more", { ...good, "../escape": "x" }, /holds \.\.\/escape/],
    ["no index", members("s", { Term: 2 }), /no index/],
    ["index 0, as nothing that ran has", members("s", { Index: 0, Term: 2 }), /no index/],
    ["nothing", {}, /no SHA256SUMS/],
  ];
  for (const [what, files, finds] of refused)
    it(`is refused with ${what}`, async () => {
      await assert.rejects(verify(await archiveOf(files)), (error) => {
        assert.ok(error instanceof ArchiveError);
        assert.match(error.message, finds);
        return true;
      });
    });

  it("is refused cut short, at whatever length", async () => {
    const whole = await archiveOf(members("some state that does not compress: 8f2k1j"));
    for (let length = 0; length < whole.length - 8; length += 7)
      await assert.rejects(verify(whole.subarray(0, length)), ArchiveError, String(length));
  });

  it("is refused with one bit changed, wherever, unless it holds the same all the same", async () => {
    const whole = await archiveOf(members());
    const content = gunzipSync(whole);
    let refusals = 0;
    // Past gzip's own header, whose time stamp and flags say nothing of what is inside.
    for (let at = 10; at < whole.length - 8; at += 11) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      // In a run of zeros it is all one how far back they are taken from.
      if (holds(changed, content)) continue;
      await assert.rejects(verify(changed), ArchiveError, String(at));
      refusals++;
    }
    assert.ok(refusals > 10);
  });

  it("is refused where it is no archive", async () => {
    for (const content of [Buffer.from("ACL not found"), gzipSync("ACL not found"), Buffer.alloc(0)])
      await assert.rejects(verify(content), ArchiveError);
  });
});

function holds(archive: Buffer, content: Buffer): boolean {
  try {
    return gunzipSync(archive).equals(content);
  } catch {
    return false;
  }
}
