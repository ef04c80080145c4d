import { pause } from "../../controller/src/backoff.js";
import { describe, type Log } from "../../controller/src/log.js";
import type { ConsulApi } from "./consul/api.js";
import { TokenError, readToken } from "./consul/token.js";
import type { SnapshotConfig } from "./config.js";
import type { Metrics, Step } from "./metrics.js";
import type { Snapshot, SnapshotStore } from "./store.js";

/** Longest pause between two looks at who leads and what is due, and the pause after a failure; milliseconds. */
const LOOK = 10_000;
const RETRY = 30_000;

export interface Parts {
  readonly config: SnapshotConfig;
  readonly consul: Pick<ConsulApi, "leader" | "save">;
  readonly store: SnapshotStore;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Takes one snapshot now, and verifies it. @throws where there is none afterwards */
export async function takeSnapshot({
  config,
  consul,
  store,
}: Pick<Parts, "config" | "consul" | "store">): Promise<Snapshot> {
  const token = await readToken(config.consul.tokenFile);
  return store.add((file) => consul.save(file, token), Date.now());
}

/**
 * Takes a snapshot whenever this server leads and the newest on its volume is older than the interval, until `signal` is aborted. What fails is counted, told and
 * tried again; nothing ends the loop, for a container that ends makes its server's pod unready.
 */
export async function keepSnapshots(parts: Parts, signal: AbortSignal): Promise<void> {
  const { interval } = parts.config;
  const look = Math.min(LOOK, (interval * 1000) / 4);
  let waitsForToken = false;
  while (!signal.aborted) {
    let wait = look;
    try {
      await round(parts);
      waitsForToken = false;
    } catch (error) {
      const { step, cause } = error as StepError;
      if (cause instanceof TokenError && !waitsForToken)
        parts.log.info("waiting for the token", { reason: cause.message });
      else if (!(cause instanceof TokenError)) parts.log.warn(`${step} failed`, { error: describe(cause) });
      waitsForToken = cause instanceof TokenError;
      parts.metrics.failed(step);
      wait = Math.min(RETRY, look * 3);
    }
    await pause(wait, signal);
  }
}

async function round({ config, consul, store, metrics, log }: Parts): Promise<void> {
  const there = await step("prune", () => store.list());
  metrics.has(there);
  const leads = (await step("leader", () => consul.leader())) === config.raftAddress;
  metrics.leads(leads);
  const [newest] = there;
  if (!leads || (newest !== undefined && Date.now() - newest.time < config.interval * 1000)) return;
  const { name } = await step("take", () => takeSnapshot({ config, consul, store }));
  metrics.took();
  log.info("snapshot taken", { name });
  await step("prune", async () => {
    for (const old of await store.prune(config.kept, Date.now())) log.info("snapshot removed", { name: old });
    metrics.has(await store.list());
  });
}

class StepError extends Error {
  constructor(
    readonly step: Step,
    override readonly cause: unknown,
  ) {
    super(step);
  }
}

async function step<T>(name: Step, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new StepError(name, error);
  }
}
