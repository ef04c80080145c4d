/**
 * A zone's issuer: makes the certificates of the zone's services, and makes them anew in time. Of several processes of its name one issues.
 *
 * Exit status 0: ended by SIGTERM or SIGINT. 2: its settings are wrong. Certificates stay when it ends.
 */
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { hostname } from "node:os";
import { issuerOf } from "../../../../mesh/issuing/index.js";
import { namespaceOf } from "../../../../mesh/names.js";
import { pause } from "../backoff.js";
import { Elector, electionTiming } from "../election/elector.js";
import { fencedApi } from "../election/fence.js";
import { Lease } from "../election/lease.js";
import { Failures } from "../failures.js";
import { KubernetesApi, loadKubeConfig } from "../kubernetes/api.js";
import { createLog, describe, type Log } from "../log.js";
import { ClockSkew } from "./clock-skew.js";
import { parseIssuerConfig, type IssuerConfig } from "./config.js";
import { healthOf } from "./health.js";
import { IssuerMetrics } from "./metrics.js";
import { serveIssuer } from "./server.js";
import { ZoneIssuer } from "./zone-issuer.js";

/** Seconds that decide how soon another process takes over: as for the controller's usual time to live. */
const LEASE_BASIS = 60;
/** Milliseconds between two looks at the clock. */
const CLOCK_INTERVAL = 60_000;

async function main(config: IssuerConfig, log: Log, signal: AbortSignal): Promise<void> {
  const metrics = new IssuerMetrics();
  const failures = new Failures(log, signal);
  const skew = new ClockSkew();
  const api = new KubernetesApi(loadKubeConfig(config.kubeconfig), (times) => {
    skew.answered(times);
  });
  const name = issuerOf(config.zone);
  const identity = `${hostname()}_${randomUUID()}`;
  const failed = (operation: string, where: string, error: unknown): void => {
    metrics.failure(operation);
    failures.note(where, error);
  };
  const elector = new Elector(new Lease(api, namespaceOf("mesh"), name), identity, electionTiming(LEASE_BASIS), {
    elected: () => {
      metrics.election("elected");
      log.info("this process issues", { identity });
    },
    over: (outcome) => {
      metrics.election(outcome);
      log[outcome === "lost" ? "warn" : "info"](`the lead is ${outcome}`, { identity });
    },
    leader: (leader) => {
      if (leader !== identity) log.info("another process issues", { leader: leader ?? "nobody" });
    },
    failed: (error) => {
      failed("elect", "leader election", error);
    },
  });
  let issuer: ZoneIssuer | undefined;
  const health = () => healthOf({ issuer, elector, skew });
  metrics.expose({
    leading: () => elector.leading,
    backlog: () => issuer?.backlog ?? 0,
    ends: () =>
      [...(issuer?.records ?? [])].map(([service, { notAfter, renewal }]) => ({
        service,
        end: notAfter / 1000,
        renewal: renewal / 1000,
      })),
    authorityEnd: () => (issuer?.state.kind === "issuing" ? issuer.state.authorityEnd / 1000 : undefined),
    refused: () =>
      (["forged", "revoked", "unlisted"] as const).map((reason) => ({
        reason,
        count: [...(issuer?.refused.values() ?? [])].filter((each) => each === reason).length,
      })),
    skew: () => (skew.milliseconds === undefined ? undefined : skew.milliseconds / 1000),
  });
  const server = await serveIssuer(config.http, health, metrics);
  log.info("issuer started", { zone: config.zone, port: config.http.port, identity });
  try {
    await Promise.all([
      watchClock(skew, log, signal),
      elector.run(async (term) => {
        issuer = new ZoneIssuer(
          api,
          fencedApi(api, term),
          config.zone,
          skew,
          log,
          {
            issued: (_service, fault) => {
              metrics.issued(fault);
            },
            failed: (operation, where, error) => {
              if (!term.signal.aborted) failed(operation, where, error);
            },
          },
          { interval: config.interval * 1000 },
        );
        try {
          await issuer.run(term.signal);
        } finally {
          issuer = undefined;
        }
      }, signal),
    ]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Says when clocks begin to differ, and when they agree again. */
async function watchClock(skew: ClockSkew, log: Log, signal: AbortSignal): Promise<void> {
  let noticed = false;
  while (!signal.aborted) {
    if (skew.isNoticeable !== noticed) {
      noticed = skew.isNoticeable;
      const seconds = Math.round((skew.milliseconds ?? 0) / 1000);
      if (noticed) log.warn("this node's clock and the API server's differ", { seconds });
      else log.info("this node's clock and the API server's agree again");
    }
    await pause(CLOCK_INTERVAL, signal);
  }
}

function start(): void {
  const write = (line: string): boolean => process.stdout.write(line);
  let config: IssuerConfig;
  try {
    config = parseIssuerConfig(process.env);
  } catch (error) {
    const text = error instanceof Error ? error.message.replaceAll("\n", "; ") : String(error);
    createLog("info", write).error("issuer misconfigured", { error: text });
    process.exitCode = 2;
    return;
  }
  const log = createLog(config.logLevel, write);
  const stop = new AbortController();
  // Every request and every delay under way listens to it.
  setMaxListeners(0, stop.signal);
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      log.info("issuer stops", { signal: name });
      stop.abort();
    });
  }
  main(config, log, stop.signal).then(
    () => {
      log.info("issuer stopped");
    },
    (error: unknown) => {
      log.error("issuer failed", { error: describe(error) });
      process.exitCode = 1;
      stop.abort();
    },
  );
}

start();
