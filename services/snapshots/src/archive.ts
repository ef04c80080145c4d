import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";

/** What a snapshot tells of itself. */
export interface Archive {
  /** Raft's index and term at which it was taken. */
  readonly index: number;
  readonly term: number;
}

/** The file is no whole snapshot. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

const META = "meta.json";
const STATE = "state.bin";
const SUMS = "SHA256SUMS";
/** More than Consul ever writes into the two small members. */
const LARGEST_TEXT = 1024 * 1024;

/**
 * Reads a snapshot to its end, and holds every member against its checksum, as `consul snapshot inspect` does: a compressed tar archive of `meta.json`,
 * `state.bin` and `SHA256SUMS` (`snapshot/archive.go` of Consul 1.21).
 *
 * @throws ArchiveError where it is cut short, changed or something else
 */
export async function verifyArchive(file: string): Promise<Archive> {
  const sums = new Map<string, string>();
  const texts = new Map<string, string>();
  const reader = extract();
  const read = (async () => {
    for await (const entry of reader) {
      const { name } = entry.header;
      if (![META, STATE, SUMS].includes(name) || sums.has(name)) throw new ArchiveError(`it holds ${name}`);
      const hash = createHash("sha256");
      let head = "";
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        hash.update(chunk);
        if (name === STATE) continue;
        head += chunk.toString("utf8");
        if (head.length > LARGEST_TEXT) throw new ArchiveError(`its ${name} is too large`);
      }
      sums.set(name, hash.digest("hex"));
      if (name !== STATE) texts.set(name, head);
    }
  })();
  try {
    await Promise.all([pipeline(createReadStream(file), createGunzip(), reader), read]);
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError(`it can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  checkSums(sums, texts.get(SUMS));
  return parseMeta(texts.get(META) ?? "");
}

function checkSums(found: ReadonlyMap<string, string>, said: string | undefined): void {
  if (said === undefined) throw new ArchiveError(`it has no ${SUMS}`);
  const expected = new Map(
    said
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [sum = "", name = ""] = line.split(/\s+/);
        return [name, sum] as const;
      }),
  );
  for (const name of [META, STATE]) {
    if (!found.has(name)) throw new ArchiveError(`it has no ${name}`);
    if (found.get(name) !== expected.get(name)) throw new ArchiveError(`its ${name} is not what ${SUMS} says`);
  }
}

function parseMeta(text: string): Archive {
  const meta = parsed(text);
  const { Index: index, Term: term } = meta;
  if (!isCount(index) || !isCount(term)) throw new ArchiveError(`its ${META} names no index and term`);
  return { index, term };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    throw new ArchiveError(`its ${META} is no JSON`);
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}
