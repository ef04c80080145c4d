/** The question about callers: somebody answers it, nobody waits for himself, and its edges are computed alone. */
import { asks } from "../authentication/authenticator";
import { draftServices, servicesByName, type Draft, type DraftCall, type DraftService } from "../document/draft";
import { show, type Path, type Report } from "../document/problems";
import { didYouMean, listed } from "../document/suggest";
import { WELL_KNOWN } from "../wire";
import { OTLP_PORT } from "./names";

/** Headers that no answer needs and that would let who sees them act as the caller. */
const HIDDEN_HEADERS = /^(x-forwarded-client-cert|x-lucid-.*|x-envoy-.*)$/;

/** Who is asked, and by whom. */
export function checkAuthentication(draft: Draft, report: Report): void {
  const byName = servicesByName(draft);
  const declared = draft.authentication;
  const name = declared?.service;
  const answering = name === undefined ? undefined : byName.get(name);
  if (name !== undefined && answering === undefined) {
    const mend = didYouMean(name, byName.keys(), "declare the service, or take 'authentication' out");
    report(["authentication", "service"], `${show(name)} is asked and not declared`, mend);
  }
  (declared?.headers ?? []).forEach((header, index) => {
    if (header === undefined || !HIDDEN_HEADERS.test(header)) return;
    const message = `the header ${show(header)} is the sidecars' own`;
    report(["authentication", "headers", index], message, "take it out; the caller's certificate is sent as it is");
  });
  const port = answering === undefined ? undefined : answeringPort(answering, declared?.port, report);
  for (const { service, path } of draftServices(draft)) {
    const asking = (service.ports ?? []).findIndex((each) => asks(service, each));
    if (asking < 0) continue;
    const own = service.ports?.[asking]?.askAuthentication !== undefined;
    const at: Path = [...path, ...(own ? ["ports", asking] : []), "askAuthentication"];
    if (declared === undefined) {
      report(at, "nobody is named who would answer", "name a service under 'authentication', or ask nobody");
    } else if (service.name === name) {
      report(at, `${show(name)} would be asked about its own callers, by itself`, "take 'askAuthentication' out");
    } else {
      checkComputed(service, path, answering, port, report);
    }
    checkSpans(service, path, report);
  }
  if (answering !== undefined) checkLoops(answering, byName, draft, report);
}

/** The port that answers, or undefined, with a problem where it is the wrong one. */
function answeringPort(answering: DraftService, wanted: unknown, report: Report): string | undefined {
  const ports = answering.ports ?? [];
  const speaking = ports.filter((port) => port.protocol === "grpc");
  if (typeof wanted === "string") {
    const found = ports.find((port) => port.name === wanted);
    if (found === undefined) {
      const names = speaking.flatMap((port) => port.name ?? []);
      const mend = didYouMean(wanted, names, `name ${listed(names)}`);
      report(["authentication", "port"], `${show(answering.name)} has no port ${show(wanted)}`, mend);
    } else if (found.protocol !== undefined && found.protocol !== "grpc") {
      const message = `port ${show(wanted)} of ${show(answering.name)} speaks ${found.protocol}, and the question is gRPC`;
      report(["authentication", "port"], message, "name a port that speaks grpc");
    }
    return wanted;
  }
  const readable = answering.ports !== undefined && ports.every((port) => port.protocol !== undefined);
  if (wanted === undefined && readable && speaking.length === 0) {
    const message = `${show(answering.name)} has no port that speaks grpc, and the question is gRPC`;
    report(["authentication", "service"], message, "declare one on it");
  }
  return wanted === undefined ? speaking[0]?.name : undefined;
}

/** There is one edge for each caller, callee and port: who asks can't declare the same one. */
function checkComputed(
  service: DraftService,
  path: Path,
  answering: DraftService | undefined,
  port: string | undefined,
  report: Report,
): void {
  if (answering === undefined || port === undefined) return;
  (service.calls ?? []).forEach((call, index) => {
    if (call.service !== answering.name || !calledPorts(call, answering).includes(port)) return;
    const at: Path = [...path, "calls", index, "service"];
    report(at, "the edge for questions about callers is computed", "take this call out");
  });
}

/** A question about each batch of spans would make spans of its own. */
function checkSpans(service: DraftService, path: Path, report: Report): void {
  if (service.name !== WELL_KNOWN.jaeger) return;
  (service.ports ?? []).forEach((port, index) => {
    if (port.name !== OTLP_PORT || !asks(service, port)) return;
    const message = "each question about a sender of spans would send spans itself";
    report([...path, "ports", index, "askAuthentication"], message, "write 'askAuthentication: false' for this port");
  });
}

/** Who answers must not need, for its answer, a service that asks it about its callers. */
function checkLoops(
  answering: DraftService,
  byName: ReadonlyMap<string, DraftService>,
  draft: Draft,
  report: Report,
): void {
  const start = answering.name ?? "";
  const ways = new Map<string, readonly string[]>([[start, [start]]]);
  // A Map hands out what is added while it is walked: breadth first, so the shortest way is told.
  for (const [name, way] of ways) {
    const index = draft.services?.findIndex((service) => service.name === name) ?? -1;
    (byName.get(name)?.calls ?? []).forEach((call, place) => {
      const callee = call.service === undefined ? undefined : byName.get(call.service);
      if (callee?.name === undefined || ways.has(callee.name)) return;
      const further = [...way, callee.name];
      ways.set(callee.name, further);
      const called = calledPorts(call, callee);
      if (!(callee.ports ?? []).some((port) => called.includes(port.name) && asks(callee, port))) return;
      const message = `${show(start)} would wait for itself: ${further.join(" → ")} → ${start}`;
      const mend = `let ${show(callee.name)} not ask, or take the call out`;
      report(["services", index, "calls", place, "service"], message, mend);
    });
  }
}

function calledPorts(call: DraftCall, callee: DraftService): readonly (string | undefined)[] {
  return call.ports ?? [callee.ports?.[0]?.name];
}
