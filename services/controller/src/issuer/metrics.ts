import { collectDefaultMetrics, Counter, Registry } from "@prometheus-io/client";
import { GaugesOf } from "../gauges.js";
import type { Fault } from "./judgement.js";
import type { Refusal } from "./zone-issuer.js";

/** Gauges that are asked when they are scraped. */
export interface IssuerGauges {
  readonly leading: () => boolean;
  /** Seconds since 1970 at which each service's certificate runs out, as it was issued last. */
  readonly ends: () => Iterable<{ readonly service: string; readonly end: number; readonly renewal: number }>;
  /** The same of the issuing authority; undefined where there is none. */
  readonly authorityEnd: () => number | undefined;
  readonly refused: () => Iterable<{ readonly reason: Refusal; readonly count: number }>;
  readonly backlog: () => number;
  /** Seconds by which the clock is ahead of the API server's; undefined where it isn't known. */
  readonly skew: () => number | undefined;
}

/** An issuer's metrics, in Prometheus' text format. */
export class IssuerMetrics {
  private readonly registry = new Registry();

  private readonly made = new Counter({
    name: "lucid_issuer_certificates_issued_total",
    help: "Certificates that were made, by what was wrong with the one before.",
    labelNames: ["fault"],
    registers: [this.registry],
  });
  private readonly failures = new Counter({
    name: "lucid_issuer_failures_total",
    help: "Operations that failed and are tried again.",
    labelNames: ["operation"],
    registers: [this.registry],
  });
  private readonly elections = new Counter({
    name: "lucid_issuer_elections_total",
    help: "Times that this process took the lead (elected), gave it back (released) or could not keep it (lost).",
    labelNames: ["outcome"],
    registers: [this.registry],
  });

  /** Value of the `Content-Type` header. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Adds the gauges; call once. */
  expose(gauges: IssuerGauges): void {
    collectDefaultMetrics({ register: this.registry });
    const tell = new GaugesOf(this.registry, "lucid_issuer");
    tell.one("leading", "Whether this process issues (1) or waits (0).", () => (gauges.leading() ? 1 : 0));
    tell.one("backlog", "Services whose certificate is being looked at or made.", gauges.backlog);
    tell.one("clock_skew_seconds", "How far this clock is ahead of the API server's.", gauges.skew);
    tell.one(
      "authority_expiry_timestamp_seconds",
      "When the certificate runs out that leaves are signed by.",
      gauges.authorityEnd,
    );
    tell.each(
      "certificate_expiry_timestamp_seconds",
      "When the certificate of a service runs out, as it was issued last.",
      ["service"],
      "end",
      gauges.ends,
    );
    tell.each(
      "certificate_renewal_timestamp_seconds",
      "From when on the certificate of a service is made anew.",
      ["service"],
      "renewal",
      gauges.ends,
    );
    tell.each(
      "refused",
      "Declared services that are given no certificate: not listed, revoked, or declared under another's identity.",
      ["reason"],
      "count",
      gauges.refused,
    );
  }

  /** A certificate was made. */
  issued(fault: Fault): void {
    this.made.inc({ fault });
  }

  /** Something failed that is tried again. */
  failure(operation: string): void {
    this.failures.inc({ operation });
  }

  /** This process's part in who issues has changed. */
  election(outcome: "elected" | "released" | "lost"): void {
    this.elections.inc({ outcome });
  }

  /** All metrics as text. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}
