import { Counter, Gauge, Registry } from "@prometheus-io/client";
import { createServer, type Server } from "node:http";
import type { Snapshot } from "./store.js";

/** Steps that can fail. */
export type Step = "leader" | "take" | "prune";

/** How snapshots go, in Prometheus' text format. Only the leader's container takes any, so each figure is of one server: the mesh's newest is the largest of all. */
export class Metrics {
  private readonly registry = new Registry();
  private newest: Snapshot | undefined;

  private readonly failures = new Counter({
    name: "lucid_snapshots_failures_total",
    help: "Steps that failed and are tried again.",
    labelNames: ["step"],
    registers: [this.registry],
  });
  private readonly taken = new Counter({
    name: "lucid_snapshots_taken_total",
    help: "Snapshots that were taken and verified since the container started.",
    registers: [this.registry],
  });
  private readonly leading = new Gauge({
    name: "lucid_snapshots_leading",
    help: "Whether this server leads (1), so that its container is who takes snapshots.",
    registers: [this.registry],
  });
  private readonly count = new Gauge({
    name: "lucid_snapshots_kept",
    help: "Snapshots on this server's volume.",
    registers: [this.registry],
  });

  constructor(now: () => number = Date.now) {
    const newest = () => this.newest;
    new Gauge({
      name: "lucid_snapshots_newest_timestamp_seconds",
      help: "When the newest good snapshot on this server's volume was taken; 0 where there is none.",
      registers: [this.registry],
      collect() {
        this.set((newest()?.time ?? 0) / 1000);
      },
    });
    new Gauge({
      name: "lucid_snapshots_newest_age_seconds",
      help: "Age of the newest good snapshot on this server's volume; +Inf where there is none.",
      registers: [this.registry],
      collect() {
        const found = newest();
        this.set(found === undefined ? Number.POSITIVE_INFINITY : Math.max(0, (now() - found.time) / 1000));
      },
    });
    for (const step of ["leader", "take", "prune"] as const) this.failures.inc({ step }, 0);
  }

  has(snapshots: readonly Snapshot[]): void {
    this.newest = snapshots[0];
    this.count.set(snapshots.length);
  }

  leads(leading: boolean): void {
    this.leading.set(leading ? 1 : 0);
  }

  took(): void {
    this.taken.inc();
  }

  failed(step: Step): void {
    this.failures.inc({ step });
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Serves `GET /metrics` on the pod's loopback, and nothing else: they are for who may forward ports. */
  async serve(port: number): Promise<Server> {
    const server = createServer((request, response) => {
      request.resume();
      if (request.method !== "GET" || request.url !== "/metrics") {
        response.writeHead(404).end();
        return;
      }
      this.text().then(
        (text) => response.writeHead(200, { "Content-Type": this.registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
    return server;
  }
}
