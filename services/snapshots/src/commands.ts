import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyArchive } from "./archive.js";
import type { ConsulApi } from "./consul/api.js";
import { TokenError, isToken, readToken } from "./consul/token.js";
import type { SnapshotConfig } from "./config.js";
import { takeSnapshot } from "./schedule.js";
import type { SnapshotStore } from "./store.js";

/** How long a restored state may take until it has a leader; milliseconds. */
const SETTLING = 60_000;

export interface CommandParts {
  readonly config: SnapshotConfig;
  readonly consul: ConsulApi;
  readonly store: SnapshotStore;
}

/** The command line is none that there is. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * What operators run in the container, by `mesh snapshot`: each gives one JSON value.
 *
 * @param input where `restore` finds the token, as one line: of an emptied Consul only its management token is known, which this container has not
 * @throws UsageError, or what went wrong
 */
export async function runCommand(words: readonly string[], parts: CommandParts, input: Readable): Promise<unknown> {
  const [command, name, ...rest] = words;
  if (command === "list" && name === undefined) return list(parts);
  if (command === "take" && name === undefined) return takeSnapshot(parts);
  if (command === "restore" && name !== undefined && rest.length === 0) return restore(name, parts, input);
  throw new UsageError("the commands are list, take and restore <name>");
}

/** Every snapshot, read whole: a disk may have changed what was good when it was written. */
async function list({ store }: CommandParts): Promise<unknown> {
  const listed = [];
  for (const { name, time, index } of await store.list()) {
    const problem = await verifyArchive(await store.fileOf(name)).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    listed.push({ name, time, index, bytes: await store.sizeOf(name), ...(problem === undefined ? {} : { problem }) });
  }
  return listed;
}

async function restore(name: string, { config, consul, store }: CommandParts, input: Readable): Promise<unknown> {
  const file = await store.fileOf(name);
  const { index } = await verifyArchive(file);
  await consul.restore(file, await tokenFrom(input));
  const deadline = Date.now() + SETTLING;
  for (;;) {
    const leader = await consul.leader().catch(() => "");
    if (leader !== "") break;
    if (Date.now() > deadline) throw new Error("it is restored, but Consul has no leader since");
    await sleep(500);
  }
  return { name, index, tokenKnown: await ownTokenKnown(config, consul) };
}

/** Whether what this container takes snapshots by is in force again. */
async function ownTokenKnown({ consul: { tokenFile } }: SnapshotConfig, consul: ConsulApi): Promise<boolean> {
  try {
    return await consul.knows(await readToken(tokenFile));
  } catch (error) {
    if (error instanceof TokenError) return false;
    throw error;
  }
}

/** The first line. Its end is not waited for: an exec's input can't always be closed from afar. */
async function tokenFrom(input: Readable): Promise<string> {
  const lines = createInterface({ input });
  try {
    for await (const line of lines) {
      if (isToken(line.trim())) return line.trim();
      break;
    }
  } finally {
    lines.close();
    input.destroy();
  }
  throw new UsageError("restore reads a Consul token from its input, as one line");
}
