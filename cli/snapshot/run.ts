import type { Command } from "commander";
import { createInterface } from "node:readline/promises";
import { z } from "zod";
import type { ExecResult } from "../../components/stack/pod-exec";
import { columns } from "../columns";
import { reachOf } from "../check/cluster/reach";
import { readProject } from "../project";
import { CliError, STATUS } from "../exit-status";
import type { RestoreOptions } from "./command";
import { SnapshotCluster } from "./pods";
import type { Server } from "./pods";

const taken = z.object({ name: z.string(), time: z.number(), index: z.number() });
const listed = taken.extend({ bytes: z.number(), problem: z.string().optional() });
const restored = z.object({ name: z.string(), index: z.number(), tokenKnown: z.boolean() });

interface Found extends z.infer<typeof listed> {
  readonly server: Server;
}

/** `snapshot list`. @returns the exit status */
export async function runList(options: { readonly json?: true }, command: Command): Promise<number> {
  const cluster = clusterOf(command);
  const found = await told(async () => all(cluster, await cluster.servers()));
  const newestFirst = [...found].sort((one, other) => other.time - one.time);
  if (options.json === true) {
    const data = newestFirst.map(({ server, time, ...rest }) => ({
      server: server.name,
      taken: new Date(time).toISOString(),
      ...rest,
    }));
    console.log(JSON.stringify(data, undefined, 2));
  } else if (found.length === 0) {
    console.log(
      "There is no snapshot yet. The first is taken within minutes of `pulumi up`; `mesh snapshot take` takes one now.",
    );
  } else {
    const rows = newestFirst.map(({ server, name, time, index, bytes, problem }) => [
      name,
      server.name,
      new Date(time).toISOString(),
      ageOf(Date.now() - time),
      String(index),
      `${(bytes / 1024).toFixed(0)} KiB`,
      problem === undefined ? "good" : `damaged: ${problem}`,
    ]);
    console.log(columns([["SNAPSHOT", "SERVER", "TAKEN", "AGE", "INDEX", "SIZE", "STATE"], ...rows]));
  }
  return found.length > 0 && found.every(({ problem }) => problem === undefined) ? STATUS.done : STATUS.refused;
}

/** `snapshot take`. @returns the exit status */
export async function runTake(command: Command): Promise<number> {
  const cluster = clusterOf(command);
  const [server, snapshot] = await told(() => take(cluster));
  console.log(`${snapshot.name} is on ${server.name}: verified, Raft's index ${String(snapshot.index)}`);
  return STATUS.done;
}

/** `snapshot restore`. @returns the exit status */
export async function runRestore(name: string, { yes }: RestoreOptions, command: Command): Promise<number> {
  const cluster = clusterOf(command);
  const source = await told(async () => {
    const servers = await cluster.servers();
    const found = (await all(cluster, servers)).filter((snapshot) => snapshot.name === name);
    const good = found.find(({ problem }) => problem === undefined);
    if (good !== undefined) return good;
    throw new CliError(
      found.length === 0
        ? `no server has a snapshot ${name}; \`mesh snapshot list\` names them`
        : `${name} is damaged (${found[0]?.problem ?? ""}); take another`,
    );
  });
  if (yes !== true && !(await confirmed(source))) {
    console.log("Nothing was done.");
    return STATUS.refused;
  }
  // What is there now may be wanted back. An emptied Consul does not know the token by which it would be taken, and has nothing to be kept.
  const before = await take(cluster).catch((error: unknown) => messageOf(error));
  console.log(
    typeof before === "string"
      ? `What is there now could not be kept (${before}).`
      : `What is there now is kept as ${before[1].name} on ${before[0].name}.`,
  );
  const result = await told(async () => {
    const token = await cluster.managementToken(source.server);
    return parsed(restored, await cluster.run(source.server, ["restore", name], token));
  });
  console.log(`${name} is restored, Raft's index ${String(result.index)}.`);
  if (!result.tokenKnown) {
    console.log(
      "The token by which snapshots are taken is none of the restored ones: run `pulumi up --refresh --run-program`, which makes ACLs and tokens anew as declared.",
    );
  }
  return STATUS.done;
}

function clusterOf(command: Command): SnapshotCluster {
  const { settings } = readProject(command);
  if (settings.discoveryBackend !== "consul")
    throw new CliError(
      `snapshots are of Consul, and this stack's discoveryBackend is ${settings.discoveryBackend}; docs/discovery.md says what holds for it`,
    );
  return new SnapshotCluster(reachOf({}, settings).kubeConfig);
}

async function take(cluster: SnapshotCluster): Promise<readonly [Server, z.infer<typeof taken>]> {
  const leader = await cluster.leader(await cluster.servers());
  return [leader, parsed(taken, await cluster.run(leader, ["take"]))];
}

async function all(cluster: SnapshotCluster, servers: readonly Server[]): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const server of servers) {
    const snapshots = parsed(z.array(listed), await cluster.run(server, ["list"]));
    found.push(...snapshots.map((snapshot) => ({ ...snapshot, server })));
  }
  return found;
}

/** @throws CliError with what the command said, where it failed */
function parsed<T>(schema: z.ZodType<T>, { code, stdout, stderr }: ExecResult): T {
  if (code !== 0) throw new CliError(stderr.trim() || `it ended with ${String(code)}`);
  return schema.parse(JSON.parse(stdout));
}

/** @throws CliError where nobody can be asked */
async function confirmed({ name, time, server }: Found): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new CliError("a restore replaces all that Consul holds; say --yes where nobody can be asked");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(
      `All that Consul holds, ACLs and tokens included, is replaced by what ${server.name} kept at ${new Date(time).toISOString()}. Type ${name} to go on: `,
    );
    return answer.trim() === name;
  } finally {
    terminal.close();
  }
}

/** @throws CliError whatever went wrong with the cluster */
async function told<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`the cluster gives no answer (${messageOf(error)})`);
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").slice(0, 300);
}

/** `3 h 12 min`. */
function ageOf(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  if (days > 0) return `${String(days)} d ${String(hours)} h`;
  return hours > 0 ? `${String(hours)} h ${String(minutes % 60)} min` : `${String(minutes)} min`;
}
