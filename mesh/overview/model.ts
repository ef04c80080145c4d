/** What the mesh controller tells of the mesh under `/api/v1`. The controller that answers and the command that asks have it from here alone. */
import { z } from "zod";
import { ZONES } from "../model";

/** Where the API begins. */
export const OVERVIEW_API = "/api/v1";

/** From best to worst; `unknown` is what can't be told. */
export const STATES = ["well", "unknown", "degraded", "failing"] as const;
export type State = (typeof STATES)[number];

const state = z.enum(STATES);
const zone = z.enum(ZONES);
const instant = z.string();
const count = z.int().min(0);
/** A second's, on average. */
const rate = z.number().min(0);

/** One thing that was looked at, and how it is. */
const finding = z.object({ check: z.string(), state, message: z.string() });

const byState = z.object({ well: count, unknown: count, degraded: count, failing: count });

const serviceOverview = z.object({
  name: z.string(),
  zone,
  /** As in `MeshService`. */
  workload: z.string(),
  state,
  findings: z.array(finding),
  /** `declared` is null where no number is. */
  instances: z.object({ declared: count.nullable(), present: count, ready: count, registered: count }),
  /** Of the certificate issued last; null where nothing is said of it. */
  certificate: z.object({ notAfter: instant, secondsLeft: z.number() }).nullable(),
  /** Whether what runs was compared with what was declared, and how that came out. */
  drift: z.enum(["none", "found", "not compared"]),
});

const zoneOverview = z.object({
  name: zone,
  /** One of Lucid's planes, or what the mesh itself needs. */
  isPlane: z.boolean(),
  state,
  services: byState,
  findings: z.array(finding),
});

const observed = z.object({
  requestsPerSecond: rate,
  /** Of those, answered by a status of 5xx, by the callee or for it. */
  failuresPerSecond: rate,
  connectionsPerSecond: rate,
  connectFailuresPerSecond: rate,
  /** Milliseconds within which half, and 99 of 100, were answered; null where there was none. */
  p50: z.number().nullable(),
  p99: z.number().nullable(),
});

const edge = z.object({
  from: z.string(),
  to: z.string(),
  port: z.string(),
  /** `undeclared`: seen, and in no declaration. */
  kind: z.enum(["call", "telemetry", "authentication", "undeclared"]),
  crossesZones: z.boolean(),
  reason: z.string().optional(),
  until: instant.optional(),
  /** `idle`: nothing was asked. */
  state: z.enum([...STATES, "idle"]),
  /** Null where nothing is known of it. */
  observed: observed.nullable(),
});

const traffic = z.object({
  /** `off`: nobody is asked; `never`: no answer yet; `stale`: the last one is too old to be shown. */
  state: z.enum(["off", "never", "fresh", "stale"]),
  asOf: instant.nullable(),
  /** Seconds over which rates are averages. */
  window: count,
  error: z.string().nullable(),
});

const alert = z.object({
  /** The rule's name, under which its runbook stands. */
  name: z.string(),
  severity: z.enum(["critical", "warning"]),
  /** From when on its condition held. */
  since: instant,
  summary: z.string(),
  /** Where it is said what to do: a place in the package's folder. */
  runbook: z.string(),
  /** What it is about: `zone`, `service`, `pod`, `lucid_callee` … */
  labels: z.record(z.string(), z.string()),
});

const alerts = z.object({
  /** As of `traffic`. */
  state: z.enum(["off", "never", "fresh", "stale"]),
  asOf: instant.nullable(),
  error: z.string().nullable(),
  /** Rules that Prometheus has loaded. */
  rules: count,
  /** Rules that it can't evaluate: nobody knows whether they would fire. */
  broken: z.array(z.object({ name: z.string(), error: z.string() })),
  /** Whose condition holds, and not long enough yet. */
  pending: count,
  total: count,
  /** What fires: the worst first, and of those the oldest. */
  firing: z.array(alert),
});

/** Pods of one node, and what of them it is about: the NetworkPolicies before them, or their sidecars. */
const pods = z.object({ layer: z.enum(["network", "sidecar"]), node: z.string(), pods: count });

/** What the live canary found. */
const enforcement = z.object({
  /** Pods that refuse whom they must. */
  enforced: z.object({ network: count, sidecar: count }),
  /** Those that don't, and those of which nobody can say; by node. */
  letIn: z.array(pods),
  blind: z.array(pods),
});

const violation = z.object({
  /** `pod`, `call`, `peer`: refused; `edge`: seen although it isn't declared. */
  kind: z.enum(["pod", "call", "peer", "edge"]),
  zone: zone.nullable(),
  service: z.string(),
  message: z.string(),
});

export const overviewSchema = z.object({
  apiVersion: z.literal("v1"),
  time: instant,
  /** The replica that answers, and the one that leads. */
  replica: z.string(),
  leader: z.string().nullable(),
  mesh: z.object({ state, services: byState, findings: z.array(finding) }),
  zones: z.array(zoneOverview),
  /** By name. */
  services: z.array(serviceOverview),
  traffic,
  edges: z.array(edge),
  connectivity: z.object({
    /** Sidecars that are scraped, and the pods of those that can't be; null where that isn't known. */
    sidecars: z.object({ reached: count, unreached: z.array(z.string()) }).nullable(),
    nodesDead: z.array(z.string()),
  }),
  /** Null where nothing is known of it. */
  enforcement: enforcement.nullable(),
  drift: z.object({ isCompared: z.boolean(), services: z.array(z.string()) }),
  violations: z.object({ total: count, first: z.array(violation) }),
  alerts,
});

export type Overview = z.infer<typeof overviewSchema>;
export type ServiceOverview = z.infer<typeof serviceOverview>;
export type ZoneOverview = z.infer<typeof zoneOverview>;
export type ByState = z.infer<typeof byState>;
export type Finding = z.infer<typeof finding>;
export type GraphEdge = z.infer<typeof edge>;
export type Observed = z.infer<typeof observed>;
export type TrafficState = z.infer<typeof traffic>;
export type Alert = z.infer<typeof alert>;
export type EnforcementOverview = z.infer<typeof enforcement>;
export type AlertsOverview = z.infer<typeof alerts>;
export type Violation = z.infer<typeof violation>;

/** A time in which nothing changed. */
const span = z.object({ from: instant, to: instant, state });

export const historySchema = z.object({
  apiVersion: z.literal("v1"),
  /** What it is of: `mesh`, or the name of a zone or service. */
  of: z.string(),
  /** Seconds between two samples. */
  interval: count,
  samples: count,
  /** Share of the samples with each state that were taken: from 0 to 1. */
  shares: z.object({ well: z.number(), unknown: z.number(), degraded: z.number(), failing: z.number() }),
  /** Oldest first. Between two of them nobody looked. */
  spans: z.array(span),
});

export type History = z.infer<typeof historySchema>;

/** The worst of states; `well` where there is none. */
export function worst(states: Iterable<State>): State {
  return STATES[Math.max(0, ...[...states].map((one) => STATES.indexOf(one)))] ?? "unknown";
}
