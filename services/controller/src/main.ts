/**
 * The mesh controller: watches the meshed pods of the Lucid namespaces and keeps Consul's catalogue equal to them.
 *
 * Exit status 0: ended by SIGTERM or SIGINT. 2: its settings are wrong. Registrations stay when it ends: a controller that is
 * away stops no call.
 */
import { setMaxListeners } from "node:events";
import type { ZoneName } from "../../../mesh/model.js";
import { parseConfig, type ControllerConfig } from "./config.js";
import { Catalogue } from "./consul/catalogue.js";
import { ConsulClient } from "./consul/client.js";
import { Controller } from "./controller.js";
import { Distribution } from "./distribution/distribution.js";
import { KubernetesApi, loadKubeConfig } from "./kubernetes/api.js";
import { NodeLeases } from "./kubernetes/leases.js";
import { PodStore } from "./kubernetes/pods.js";
import { LeaseClock } from "./lease-clock.js";
import { createLog, describe, type Log } from "./log.js";
import { Metrics } from "./metrics.js";
import { serve } from "./server.js";
import { instanceCounts, type Parts } from "./status.js";
import { KeyMirror } from "./tokens/mirror.js";
import { ZoneState } from "./zone.js";

/** Comparisons that may fail in a row before Consul counts as out of reach. */
const PATIENCE = 3;
/** Milliseconds that requests under way are given when the controller is stopped. */
const FAREWELL = 5_000;

async function main(config: ControllerConfig, log: Log, stop: AbortController): Promise<void> {
  const { signal } = stop;
  const metrics = new Metrics();
  const api = new KubernetesApi(loadKubeConfig(config.kubeconfig));
  const consul = new ConsulClient(config.consul, (zone, seconds, outcome) => {
    metrics.consulRequest(zone, seconds, outcome);
  });

  const leases = new NodeLeases(api, new LeaseClock(config.registryTtl * 1000, () => performance.now()), {
    changed: (nodes, dead) => {
      for (const node of nodes) {
        log.warn(dead ? "node does not renew its lease: its instances go" : "node is back", { node });
      }
      podsOn(zones, nodes).forEach(([zone, pod]) => {
        controller.podChanged(zone, pod);
      });
    },
    failed: (error) => {
      metrics.failure("none", "watch-leases");
      controller.failed("node leases", error);
    },
  });
  const zones = config.zones.map(({ namespace, zone }) => {
    const pods = new PodStore(api, namespace, {
      changed: (pod) => {
        controller.podChanged(zone, pod);
        distribution.podSeen(namespace, pod);
      },
      failed: (error) => {
        metrics.failure(zone, "watch-pods");
        controller.failed(`pods of ${namespace}`, error);
      },
    });
    return new ZoneState(zone, pods, (node) => leases.isDead(node));
  });
  const controller = new Controller(
    zones,
    new Catalogue(consul),
    log,
    metrics,
    { interval: config.reconcileInterval * 1000 },
    signal,
  );

  const distribution = new Distribution(
    api,
    zones.map(({ pods }) => pods),
    log,
    {
      failed: (where, error) => {
        metrics.failure("none", "distribute");
        controller.failed(where, error);
      },
    },
  );
  const keys = new KeyMirror(api, config.zones, log, {
    failed: (where, error) => {
      metrics.failure("none", "mirror-keys");
      controller.failed(where, error);
    },
  });

  const consulPatience = PATIENCE * config.reconcileInterval * 1000 + 5_000;
  const parts: Parts = { zones, controller, consul, leases, keys, consulPatience };
  metrics.expose({
    backlog: () => controller.backlog,
    nodesDead: () => leases.dead().length,
    instances: () => zones.flatMap(instanceCounts),
  });
  const server = await serve(config.http.address, config.http.port, parts, metrics, log);
  log.info("controller started", {
    address: config.http.address,
    port: config.http.port,
    zones: config.zones.map(({ zone }) => zone).join(","),
    consul: config.consul.address.host,
  });

  signal.addEventListener("abort", () => {
    setTimeout(() => {
      consul.close();
    }, FAREWELL).unref();
  });
  try {
    await Promise.all([
      controller.run(),
      leases.follow(signal),
      keys.run(signal),
      distribution.run(signal),
      ...zones.map((zone) => zone.pods.follow(signal)),
    ]);
  } finally {
    server.close();
    server.closeAllConnections();
    consul.close();
  }
}

/** The pods that run on some nodes, each with its zone. */
function podsOn(zones: readonly ZoneState[], nodes: readonly string[]): [ZoneName, string][] {
  return zones.flatMap((zone) =>
    [...zone.pods.all()]
      .filter(({ node }) => node !== undefined && nodes.includes(node))
      .map(({ name }): [ZoneName, string] => [zone.name, name]),
  );
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
