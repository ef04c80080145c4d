import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

/** Members of a snapshot as Consul writes them. */
export function members(state = "the state", meta: object = { Version: 1, ID: "2-42-1", Index: 42, Term: 2 }) {
  const files = { "meta.json": JSON.stringify(meta), "state.bin": state };
  const sums = Object.entries(files).map(
    ([name, text]) => `${createHash("sha256").update(text).digest("hex")}  ${name}\n`,
  );
  return { ...files, SHA256SUMS: sums.join("") };
}

/** An archive of some members, in their order. */
export async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const packed = pack();
  for (const [name, text] of Object.entries(files)) packed.entry({ name }, text);
  packed.finalize();
  return gzipSync(await buffer(packed));
}
