import * as fs from "node:fs";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { pack, type Header, type Pack } from "tar-stream";

import { listContext, type ContextEntry } from "./context";

/** A build context as the engine takes it. */
export interface ContextArchive {
  readonly stream: Readable;
  /** Name of the Dockerfile inside. */
  readonly dockerfile: string;
}

/** Name for a Dockerfile that lies outside its context. */
const OUTSIDE_DOCKERFILE = ".dockerfile.lucid-build";

/** Packs a context; a failure to read a file ends the stream with its error. */
export function packContext(context: string, dockerfile: string): ContextArchive {
  const relative = relativeDockerfile(context, dockerfile);
  const outside = relative.startsWith("../");
  const entries = listContext(context, dockerfile);
  const stream = pack();
  const write = async (): Promise<void> => {
    for (const entry of entries) {
      await add(stream, entry);
    }
    // An excluded Dockerfile is still needed for the build.
    if (outside || !entries.some(({ name }) => name === relative)) {
      const name = outside ? OUTSIDE_DOCKERFILE : relative;
      stream.entry(
        { name, mode: 0o644, mtime: fs.statSync(dockerfile).mtime, uid: 0, gid: 0 },
        fs.readFileSync(dockerfile),
      );
    }
    stream.finalize();
  };
  write().catch((error: unknown) => {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return { stream: Readable.from(stream), dockerfile: outside ? OUTSIDE_DOCKERFILE : relative };
}

/** The Dockerfile's path as seen from the context, with slashes; begins with `../` where it lies outside. */
export function relativeDockerfile(context: string, dockerfile: string): string {
  return path.relative(path.resolve(context), path.resolve(dockerfile)).split(path.sep).join("/");
}

async function add(stream: Pack, { name, file, stats }: ContextEntry): Promise<void> {
  const headers: Partial<Header> & Pick<Header, "name"> = {
    name,
    mode: stats.mode & 0o7777,
    mtime: stats.mtime,
    uid: 0,
    gid: 0,
  };
  if (stats.isDirectory()) {
    stream.entry({ ...headers, type: "directory" });
  } else if (stats.isSymbolicLink()) {
    stream.entry({ ...headers, type: "symlink", linkname: fs.readlinkSync(file) });
  } else if (stats.isFile()) {
    await pipeline(fs.createReadStream(file), stream.entry({ ...headers, size: stats.size }));
  }
  // Sockets and pipes are no part of an image.
}
