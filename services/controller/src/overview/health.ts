/** How well services are. Pure: no clock, no network. */
import type { Condition } from "../../../../mesh/custom-resource/index.js";
import type { ZoneName } from "../../../../mesh/model.js";
import { STATES, worst, type ByState, type Finding, type ServiceOverview } from "../../../../mesh/overview/model.js";
import type { DeclaredService } from "../services/resource.js";

/** Seconds before its end from which on a certificate that nobody has renewed is a matter for people. */
const CERTIFICATE_WARNING = 72 * 3600;
/** Seconds that an issuer is given for a certificate that is due, before that is one. */
const OVERDUE = 600;
/** Seconds after which files that sidecars were not told of are no matter of course any more. */
const TELLING = 120;

/** How a service is, as its status and its declaration have it. */
export function serviceHealth(zone: ZoneName, service: DeclaredService, now: number): ServiceOverview {
  const { name, workload, status } = service;
  const notAfter = status?.certificate?.notAfter;
  const secondsLeft = notAfter === undefined ? undefined : Math.floor((Date.parse(notAfter) - now) / 1000);
  const drifted = conditionOf(service, "Drifted")?.status;
  const findings = [
    ...observation(service),
    readiness(service),
    registration(service),
    distribution(service, now),
    ...(secondsLeft === undefined || service.revoked !== undefined
      ? []
      : [certificate(secondsLeft, overdueOf(service, now))]),
    ...drift(service),
  ];
  const { present = 0, ready = 0, registered = 0 } = status?.instances ?? {};
  return {
    name,
    zone,
    workload: workload.kind,
    state: worst(findings.map(({ state }) => state)),
    findings,
    instances: { declared: workload.replicas ?? null, present, ready, registered },
    certificate: notAfter === undefined || secondsLeft === undefined ? null : { notAfter, secondsLeft },
    drift: drifted === "True" ? "found" : drifted === "False" ? "none" : "not compared",
  };
}

/** How many there are of each state. */
export function countStates(services: Iterable<Pick<ServiceOverview, "state">>): ByState {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as ByState;
  for (const { state } of services) {
    counts[state] += 1;
  }
  return counts;
}

/** A service of which something more was found. */
export function withFindings(service: ServiceOverview, more: readonly Finding[]): ServiceOverview {
  const findings = [...service.findings, ...more];
  return more.length === 0 ? service : { ...service, findings, state: worst(findings.map(({ state }) => state)) };
}

function conditionOf({ status }: DeclaredService, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Whether what is said is of the present declaration. */
function observation({ generation, status }: DeclaredService): Finding[] {
  return status?.observedGeneration === generation
    ? []
    : [{ check: "observed", state: "unknown", message: "the present declaration was not judged yet" }];
}

function readiness(service: DeclaredService): Finding {
  const check = "ready";
  const condition = conditionOf(service, "Ready");
  if (service.revoked !== undefined) {
    const { present = 0 } = service.status?.instances ?? {};
    return present === 0
      ? { check, state: "well", message: `revoked, and nothing runs: ${service.revoked}` }
      : { check, state: "failing", message: `revoked, and ${String(present)} instances run: ${service.revoked}` };
  }
  if (condition === undefined) {
    return { check, state: "unknown", message: "nothing was said of it yet" };
  }
  const { message, reason } = condition;
  if (condition.status === "True" || reason === "RunsToCompletion") {
    return { check, state: "well", message };
  }
  if (condition.status === "Unknown") {
    return { check, state: "unknown", message };
  }
  return { check, state: reason === "InstancesMissing" ? "degraded" : "failing", message };
}

function registration(service: DeclaredService): Finding {
  const check = "registered";
  const condition = conditionOf(service, "Registered");
  if (condition === undefined) {
    return { check, state: "unknown", message: "nothing was said of it yet" };
  }
  const { message, reason, status } = condition;
  if (status === "True" || reason === "RunsToCompletion" || reason === "Revoked") {
    return { check, state: "well", message };
  }
  return { check, state: status === "Unknown" ? "unknown" : "degraded", message };
}

function distribution(service: DeclaredService, now: number): Finding {
  const check = "distributed";
  const condition = conditionOf(service, "Distributed");
  if (condition === undefined) {
    return { check, state: "unknown", message: "nothing was said of it yet" };
  }
  const { message, status, lastTransitionTime } = condition;
  if (status === "Unknown") {
    return { check, state: "unknown", message };
  }
  const isLate = status === "False" && now - Date.parse(lastTransitionTime) > TELLING * 1000;
  return { check, state: isLate ? "degraded" : "well", message };
}

/** Seconds since when an issuer should have made a certificate anew, if it should; undefined where none makes it. */
function overdueOf({ status }: DeclaredService, now: number): number | undefined {
  const renewal = status?.certificate?.renewal;
  return renewal === undefined ? undefined : (now - Date.parse(renewal)) / 1000;
}

/** An issuer's certificate lives shortly, and is a matter for people where it should have made another; any other one near its end. */
function certificate(secondsLeft: number, overdue: number | undefined): Finding {
  const check = "certificate";
  if (secondsLeft <= 0) {
    return { check, state: "failing", message: "the certificate that was issued last has ended" };
  }
  const hours = Math.floor(secondsLeft / 3600);
  const left = hours < 48 ? `${String(hours)} hours` : `${String(Math.floor(hours / 24))} days`;
  const message = `the certificate that was issued last ends in ${left}`;
  if (overdue === undefined) {
    return { check, state: secondsLeft < CERTIFICATE_WARNING ? "degraded" : "well", message };
  }
  return overdue > OVERDUE
    ? { check, state: "degraded", message: `${message}, and its issuer should have made another` }
    : { check, state: "well", message };
}

/** Nothing where nobody has compared: that is no finding, and stands as such in the overview. */
function drift(service: DeclaredService): Finding[] {
  const condition = conditionOf(service, "Drifted");
  if (condition === undefined || condition.status === "Unknown") {
    return [];
  }
  return [{ check: "drift", state: condition.status === "True" ? "degraded" : "well", message: condition.message }];
}
