/** Calls: the callee and its ports exist, each is declared once, and what crosses zones has its reason. */
import { dialPortOf } from "../defaults";
import {
  draftServices,
  servicesByName,
  type Draft,
  type DraftCall,
  type DraftPort,
  type DraftService,
} from "../document/draft";
import { show, type Path, type Report } from "../document/problems";
import { didYouMean, listed } from "../document/suggest";
import { WELL_KNOWN } from "../wire";
import { isDraftJob } from "./jobs";
import { OTLP_PORT } from "./names";
import { ownPorts } from "./ports";
import { checkCallRules } from "./rules";

/** All calls of all services. */
export function checkCalls(draft: Draft, report: Report): void {
  const byName = servicesByName(draft);
  const collector = byName.get(WELL_KNOWN.jaeger);
  for (const { service, path } of draftServices(draft)) {
    const own = ownPorts(service);
    const declared = new Map<string, number>();
    (service.calls ?? []).forEach((call, index) => {
      const at: Path = [...path, "calls", index];
      const name = call.service;
      if (name === undefined) return;
      if (name === service.name) {
        report([...at, "service"], `${show(name)} calls itself`, "take the call out; its own ports are on 127.0.0.1");
        return;
      }
      const callee = byName.get(name);
      if (callee === undefined) {
        const mend = didYouMean(name, byName.keys(), "declare the service, or take the call out");
        report([...at, "service"], `${show(name)} is called and not declared`, mend);
        return;
      }
      if (isDraftJob(callee)) {
        const message = `${show(name)} is a job: it has no port and runs to its end, so nobody can call it`;
        report([...at, "service"], message, "take the call out; let the job make the call");
        return;
      }
      checkReason(service, callee, call, at, report);
      const ports = calledPorts(callee, name, call, at, report);
      for (const { port, path: portPath } of ports) {
        const key = `${name}:${port.name ?? ""}`;
        const earlier = declared.get(key);
        if (earlier === undefined) {
          declared.set(key, index);
        } else {
          const message = `port '${port.name ?? ""}' of ${show(name)} is called twice (also calls[${String(earlier)}])`;
          report(portPath, message, "declare it once, with 'rules' where several are meant");
        }
        if (name === WELL_KNOWN.jaeger && port.name === OTLP_PORT) {
          report(portPath, "the edge for spans is computed when tracing is on", "take this call out");
          continue;
        }
        checkDial(own, name, callee, port, portPath, report);
      }
      checkCallRules(
        call,
        ports.map(({ port }) => port),
        at,
        report,
      );
    });
    // Spans go the same way as calls: through a listener on the collector's address.
    const otlp = collector?.ports?.find((port) => port.name === OTLP_PORT);
    if (collector !== undefined && otlp !== undefined && service.name !== WELL_KNOWN.jaeger) {
      checkDial(own, WELL_KNOWN.jaeger, collector, otlp, [...path, "ports"], report);
    }
  }
}

function checkReason(caller: DraftService, callee: DraftService, call: DraftCall, path: Path, report: Report): void {
  if (caller.plane === undefined || callee.plane === undefined || caller.plane === callee.plane) return;
  if (call.reason !== undefined) return;
  const message = `the call crosses from ${caller.plane} to ${callee.plane} (${show(call.service)}) without a reason`;
  report([...path, "reason"], message, "say why it is needed, or take the call out");
}

/** The callee's ports that a call names, with the places where it does. */
function calledPorts(callee: DraftService, name: string, call: DraftCall, path: Path, report: Report) {
  const ports = callee.ports ?? [];
  if (call.ports === undefined) {
    const first = ports[0];
    return first === undefined ? [] : [{ port: first, path: [...path, "service"] }];
  }
  return call.ports.flatMap((wanted, index) => {
    if (wanted === undefined) return [];
    const at = [...path, "ports", index];
    const port = ports.find((candidate) => candidate.name === wanted);
    if (port === undefined) {
      const names = ports.flatMap((each) => each.name ?? []);
      report(at, `${show(name)} has no port ${show(wanted)}`, didYouMean(wanted, names, `name ${listed(names)}`));
      return [];
    }
    return [{ port, path: at }];
  });
}

/**
 * A sidecar that listens on 127.x:8080 for a callee makes its application fail with EADDRINUSE when that binds 0.0.0.0:8080.
 */
function checkDial(
  own: ReadonlySet<number>,
  name: string,
  callee: DraftService,
  port: DraftPort,
  path: Path,
  report: Report,
): void {
  const dial = dialPortOf(port, callee.ports?.indexOf(port) ?? 0);
  if (dial === undefined || !own.has(dial)) return;
  const message = `${show(name)} is dialled at ${String(dial)}, on which the caller itself listens (EADDRINUSE)`;
  report(path, message, `give port '${port.name ?? ""}' of ${show(name)} another dialPort, or the caller another port`);
}
