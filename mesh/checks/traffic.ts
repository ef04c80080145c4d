/** Resilience: values that contradict each other, and those that mean nothing on the ports they stand for. */
import { draftServices, servicesByName, type Draft, type DraftPort } from "../document/draft";
import { carriesRequests } from "../defaults";
import type { Protocol } from "../model";
import type { Path, Report } from "../document/problems";
import type { DeclaredServiceTraffic, DeclaredTraffic } from "../schema/traffic";
import { showDuration } from "../traffic/duration";
import type { EdgeTraffic, RetryCondition } from "../traffic/model";
import { canTimeOut, conditionApplies, edgeTraffic } from "../traffic/resolve";
import { calledPorts } from "./called-ports";

/** What services declare for those who call them, and what calls override. */
export function checkTraffic(draft: Draft, report: Report): void {
  const byName = servicesByName(draft);
  for (const { service, path } of draftServices(draft)) {
    if (service.traffic !== undefined) {
      const place = { declared: service.traffic, ports: service.ports ?? [], path: [...path, "traffic"] };
      checkPlace({ ...place, resolve: (protocol) => edgeTraffic(protocol, service.traffic) }, report);
    }
    (service.calls ?? []).forEach((call, index) => {
      const callee = call.service === undefined ? undefined : byName.get(call.service);
      if (call.traffic === undefined || callee === undefined) return;
      const at = [...path, "calls", index, "traffic"];
      const place = { declared: call.traffic, ports: calledPorts(callee, call), path: at, callee: callee.traffic };
      checkPlace({ ...place, resolve: (protocol) => edgeTraffic(protocol, callee.traffic, call.traffic) }, report);
    });
  }
}

/** One `traffic` of the document, with the ports that it holds for. */
interface Place {
  readonly declared: DeclaredTraffic;
  /** What the callee declares where `declared` is a call's. */
  readonly callee?: DeclaredServiceTraffic | undefined;
  readonly ports: readonly DraftPort[];
  readonly path: Path;
  readonly resolve: (protocol: Protocol) => EdgeTraffic;
}

function checkPlace(place: Place, report: Report): void {
  const protocols = place.ports.flatMap(({ protocol }) => protocol ?? []);
  if (protocols.length === 0 || protocols.length < place.ports.length) return;
  checkMeaningless(place, protocols, report);
  checkConditions(place, protocols, report);
  for (const protocol of protocols) {
    // The first port tells it; the values are the same on the others.
    if (checkContradictions(place, place.resolve(protocol), report)) break;
  }
}

/** Keys that say something about requests, on ports that have none. */
function checkMeaningless({ declared, path }: Place, protocols: readonly Protocol[], report: Report): void {
  const spoken = [...new Set(protocols)].join(" and ");
  const nowhere = (present: unknown, key: readonly string[], possible: (protocol: Protocol) => boolean) => {
    if (present === undefined || protocols.some(possible)) return;
    const mend = "take it out; what bounds it there are connectionLimit, circuitBreaker and retries.attempts";
    report([...path, ...key], `the ports speak ${spoken}, where this means nothing`, mend);
  };
  nowhere(declared.timeout, ["timeout"], canTimeOut);
  nowhere(declared.retries?.perTryTimeout, ["retries", "perTryTimeout"], canTimeOut);
  nowhere(declared.rateLimit, ["rateLimit"], carriesRequests);
}

/** Every condition is one that some port can meet. */
function checkConditions({ declared, callee, path }: Place, protocols: readonly Protocol[], report: Report): void {
  const idempotent = declared.retries?.idempotent ?? callee?.retries?.idempotent ?? false;
  (declared.retries?.on ?? []).forEach((condition, index) => {
    if (protocols.some((protocol) => conditionApplies(condition, protocol, idempotent))) return;
    const at = [...path, "retries", "on", index];
    if (protocols.includes("grpc")) {
      const message = `'${condition}' repeats nothing: every gRPC request is a POST, and nothing says that it may be repeated`;
      report(at, message, "write 'idempotent: true' beside it if every method may be repeated, or take it out");
    } else {
      const spoken = [...new Set(protocols)].join(" and ");
      report(at, `'${condition}' repeats nothing on a port that speaks ${spoken}`, "take it out");
    }
  });
}

/** Conditions under which a try that took too long is followed by another. */
const AFTER_TIMEOUT: readonly RetryCondition[] = ["5xx", "gateway-error", "reset"];

/** @returns whether it reported anything */
function checkContradictions({ declared, path }: Place, traffic: EdgeTraffic, report: Report): boolean {
  const { retries, outlierDetection, timeoutMs } = traffic;
  const { perTryTimeoutMs, backoff, idempotentConditions } = retries;
  const found: Parameters<Report>[] = [];
  const add = (key: readonly string[], message: string, mend: string) => found.push([[...path, ...key], message, mend]);
  const times = declared.timeout !== undefined || declared.retries?.perTryTimeout !== undefined;
  if (times && perTryTimeoutMs > 0 && timeoutMs > 0 && perTryTimeoutMs > timeoutMs) {
    const message = `one try may take ${showDuration(perTryTimeoutMs)}, and the whole call ${showDuration(timeoutMs)}`;
    add(["retries", "perTryTimeout"], message, "shorten the try, or lengthen timeout");
  }
  const repeats = retries.attempts > 0 && idempotentConditions.some((each) => AFTER_TIMEOUT.includes(each));
  if (declared.retries?.perTryTimeout !== undefined && perTryTimeoutMs > 0 && !repeats) {
    const message = "a try that takes too long is not followed by another, so this only shortens the call";
    add(
      ["retries", "perTryTimeout"],
      message,
      `name '${AFTER_TIMEOUT.join("', '")}' in retries.on, or set timeout instead`,
    );
  }
  if (declared.retries?.backoff !== undefined && backoff.baseMs > backoff.maxMs) {
    const message = `the first pause (${showDuration(backoff.baseMs)}) is longer than the longest (${showDuration(backoff.maxMs)})`;
    add(["retries", "backoff"], message, "raise max, or lower base");
  }
  const { baseEjectionTimeMs, maxEjectionTimeMs } = outlierDetection;
  if (declared.outlierDetection !== undefined && baseEjectionTimeMs > maxEjectionTimeMs) {
    const message = `the first ejection (${showDuration(baseEjectionTimeMs)}) is longer than the longest (${showDuration(maxEjectionTimeMs)})`;
    add(["outlierDetection"], message, "raise maxEjectionTime, or lower baseEjectionTime");
  }
  for (const problem of found) report(...problem);
  return found.length > 0;
}
