/**
 * The mesh controller: watches the meshed pods of the Lucid namespaces and keeps the registry of the discovery backend equal to them. Of several replicas one leads and
 * writes; the others look on, ready to take over.
 *
 * Exit status 0: ended by SIGTERM or SIGINT. 2: its settings are wrong. Registrations stay when it ends: a controller that is
 * away stops no call.
 */
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { hostname } from "node:os";
import { namespaceOf } from "../../../mesh/names.js";
import { WELL_KNOWN } from "../../../mesh/wire.js";
import { pause } from "./backoff.js";
import { parseConfig, registryPatience, type ControllerConfig } from "./config.js";
import { Elector, electionTiming } from "./election/elector.js";
import { Lease } from "./election/lease.js";
import { Failures } from "./failures.js";
import { KubernetesApi, loadKubeConfig } from "./kubernetes/api.js";
import { driftCounts, driftOfAll, Leader } from "./leader.js";
import { createLog, describe, type Log } from "./log.js";
import { Metrics } from "./metrics.js";
import { SAMPLE_INTERVAL, StateHistory } from "./overview/history.js";
import { MeshOverview } from "./overview/overview.js";
import { PrometheusView } from "./overview/prometheus.js";
import { serve } from "./server.js";
import {
  certificateEnds,
  certificateRenewals,
  instanceCounts,
  overdueCertificates,
  serviceCounts,
  serviceInstances,
  type Parts,
} from "./status.js";
import { Views } from "./views.js";

/** Milliseconds in which the first lists come. */
const FIRST_SAMPLE = 5_000;

async function main(config: ControllerConfig, log: Log, stop: AbortController): Promise<void> {
  const { signal } = stop;
  const metrics = new Metrics();
  const failures = new Failures(log, signal);
  const api = new KubernetesApi(loadKubeConfig(config.kubeconfig));
  const telling = { log, metrics, failures };
  const views = new Views(api, config, telling);
  const elector = electorOf(api, config, telling);
  let leader: Leader | undefined;

  const parts: Parts = {
    views,
    elector,
    failures,
    leader: () => leader,
    registryPatience: registryPatience(config),
  };
  metrics.expose({
    backlog: () => leader?.controller.backlog ?? 0,
    nodesDead: () => views.leases.dead().length,
    clocks: () => leader?.inspection.clocks.ahead(Date.now()) ?? [],
    drift: () => driftCounts(leader === undefined ? [] : driftOfAll(leader)),
    canary: () => leader?.canary.counts ?? [],
    driftLeft: () => driftCounts(leader?.drift.left ?? []),
    instances: () => views.zones.flatMap(instanceCounts),
    serviceInstances: () => serviceInstances(views),
    certificateEnds: () => certificateEnds(views),
    certificateRenewals: () => certificateRenewals(views),
    overdueCertificates: () => overdueCertificates(views, Date.now()),
    leading: () => elector.leading,
    services: () => serviceCounts(views),
  });
  const history = new StateHistory();
  const prometheus = new PrometheusView(config.prometheus, log);
  const overview = new MeshOverview(parts, prometheus, history);
  const told = { overview: () => overview.at(Date.now()), history: (name: string) => history.of(name) };
  const server = await serve(config.http.address, config.http.port, { ...parts, api: told }, metrics, log);
  log.info("controller started", {
    address: config.http.address,
    port: config.http.port,
    zones: config.zones.map(({ zone }) => zone).join(","),
    registry: config.registry.backend,
    identity: elector.identity,
  });
  try {
    await Promise.all([
      views.follow(signal),
      prometheus.run(signal),
      remember(overview, signal),
      elector.run(async (term) => {
        leader = new Leader(api, config, views, telling, term, elector.identity);
        try {
          await leader.run();
        } finally {
          leader = undefined;
        }
      }, signal),
    ]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Takes samples of how all is, once there is something to be seen. */
async function remember(overview: MeshOverview, signal: AbortSignal): Promise<void> {
  await pause(FIRST_SAMPLE, signal);
  while (!signal.aborted) {
    overview.sample(Date.now());
    await pause(SAMPLE_INTERVAL * 1000, signal);
  }
}

function electorOf(
  api: KubernetesApi,
  config: ControllerConfig,
  { log, metrics, failures }: { log: Log; metrics: Metrics; failures: Failures },
): Elector {
  const lease = new Lease(api, namespaceOf("mesh"), WELL_KNOWN.controller);
  // A container that is started anew in the same pod is another replica: what the one before had under way nobody knows.
  const identity = `${hostname()}_${randomUUID()}`;
  return new Elector(lease, identity, electionTiming(config.registryTtl), {
    elected: () => {
      metrics.election("elected");
      log.info("this replica leads", { identity });
    },
    over: (outcome) => {
      metrics.election(outcome);
      log[outcome === "lost" ? "warn" : "info"](`the lead is ${outcome}`, { identity });
    },
    leader: (leader) => {
      if (leader !== identity) {
        log.info("another replica leads", { leader: leader ?? "nobody" });
      }
    },
    failed: (error) => {
      metrics.failure("none", "elect");
      failures.note("leader election", error);
    },
  });
}

function start(): Promise<void> | undefined {
  let config: ControllerConfig;
  try {
    config = parseConfig(process.env);
  } catch (error) {
    createLog("info", (line) => process.stdout.write(line)).error("controller misconfigured", {
      // Every problem on its own line would break the format.
      error: error instanceof Error ? error.message.replaceAll("\n", "; ") : String(error),
    });
    process.exitCode = 2;
    return undefined;
  }
  const log = createLog(config.logLevel, (line) => process.stdout.write(line));
  const stop = new AbortController();
  // Every request and every delay under way listens to it.
  setMaxListeners(0, stop.signal);
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      log.info("controller stops", { signal: name });
      stop.abort();
    });
  }
  return main(config, log, stop).then(
    () => {
      log.info("controller stopped");
    },
    (error: unknown) => {
      log.error("controller failed", { error: describe(error) });
      process.exitCode = 1;
      stop.abort();
    },
  );
}

void start();
