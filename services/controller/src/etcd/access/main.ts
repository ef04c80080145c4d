/**
 * Keeps etcd's users, roles and their rights as the document has them, and etcd asking for them.
 *
 * Exit status 0: ended by SIGTERM or SIGINT. 2: its settings are wrong.
 */
import { createServer } from "node:http";
import { pause } from "../../backoff.js";
import { createLog, describe, type Log } from "../../log.js";
import { EtcdClient } from "../client.js";
import { parseKeeperConfig, type KeeperConfig } from "./config.js";
import { AccessKeeper } from "./keeper.js";

async function main(config: KeeperConfig, log: Log, signal: AbortSignal): Promise<void> {
  const client = new EtcdClient(config.etcd);
  const keeper = new AccessKeeper(client, config.access, log);
  let kept = false;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(request.url === "/health" ? (kept ? 200 : 503) : 404);
    response.end();
  }).listen(config.port, "0.0.0.0");
  while (!signal.aborted) {
    try {
      await keeper.converge();
      if (!kept) log.info("users and roles are as declared");
      kept = true;
    } catch (error) {
      kept = false;
      log.warn("failed, will be tried again", { error: describe(error) });
    }
    await pause(config.interval * 1000, signal);
  }
  client.close();
  server.close();
  server.closeAllConnections();
}

function start(): void {
  let config: KeeperConfig;
  try {
    config = parseKeeperConfig(process.env);
  } catch (error) {
    const text = error instanceof Error ? error.message.replaceAll("\n", "; ") : String(error);
    createLog("info", (line) => process.stdout.write(line)).error("keeper misconfigured", { error: text });
    process.exitCode = 2;
    return;
  }
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      stop.abort();
    });
  }
  void main(
    config,
    createLog(config.logLevel, (line) => process.stdout.write(line)),
    stop.signal,
  );
}

start();
