/**
 * Container beside a Consul server: snapshots of the cluster's state on a volume of the server's own.
 *
 * Without arguments it takes them by schedule while its server leads. `list`, `take` and `restore <name>` are for operators, in the running container. Exit status
 * 0: done. 1: failed. 2: the settings or the command line are wrong.
 */
import { createLog, describe } from "../../controller/src/log.js";
import { UsageError, runCommand } from "./commands.js";
import { ConfigError, parseConfig } from "./config.js";
import { ConsulApi } from "./consul/api.js";
import { Metrics } from "./metrics.js";
import { keepSnapshots } from "./schedule.js";
import { SnapshotStore } from "./store.js";

async function main(words: readonly string[]): Promise<void> {
  const config = parseConfig(process.env);
  const parts = { config, consul: new ConsulApi(config.consul), store: new SnapshotStore(config.folder) };
  if (words.length > 0) {
    process.stdout.write(`${JSON.stringify(await runCommand(words, parts, process.stdin))}\n`);
    return;
  }
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      stop.abort();
    });
  }
  const log = createLog("info", (line) => process.stdout.write(line));
  const metrics = new Metrics();
  const server = await metrics.serve(config.metricsPort);
  log.info("started", { folder: config.folder, interval: config.interval, kept: config.kept });
  await keepSnapshots({ ...parts, metrics, log }, stop.signal);
  server.close();
  server.closeAllConnections();
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
});
