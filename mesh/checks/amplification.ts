/** Retries along every path of calls: what one request may become at a callee stays within the document's bound. */
import { draftServices, servicesByName, type Draft } from "../document/draft";
import type { Path, Report } from "../document/problems";
import { amplification, showPath, type Hop } from "../traffic/amplification";
import { DEFAULT_MAX_AMPLIFICATION } from "../traffic/defaults";
import type { EdgeTraffic } from "../traffic/model";
import { SAFE_CONDITIONS } from "../traffic/model";
import { edgeTraffic } from "../traffic/resolve";
import { calledPorts } from "./called-ports";

interface PlacedHop extends Hop {
  readonly path: Path;
}

/** A path whose tries multiply beyond the bound, and a circle in which they have none. */
export function checkAmplification(draft: Draft, report: Report): void {
  const bound = draft.traffic?.maxAmplification ?? DEFAULT_MAX_AMPLIFICATION;
  const { services, circles } = amplification(hopsOf(draft));
  for (const circle of circles) {
    const [first] = circle;
    if (first === undefined) continue;
    report(
      [...first.path, "traffic", "retries"],
      `calls go in a circle in which each round multiplies, without a bound: ${showPath(circle)}`,
      `retry only what never reached '${first.to}' (no retries.on), or take a call out of the circle`,
    );
  }
  // Beyond such a circle there is nothing to compare.
  if (circles.length > 0) return;
  const totals = new Map(services.map(({ service, total }) => [service, total]));
  for (const { service, total, path } of services) {
    const last = path.at(-1);
    // Beyond the first service that is over the bound, all are.
    if (last === undefined || total <= bound || (totals.get(last.from) ?? 1) > bound) continue;
    report(
      [...last.path, "traffic", "retries"],
      `retries make up to ${String(total)} requests at '${service}' of one, more than ${String(bound)}: ${showPath(path)}`,
      "try again in one layer of the path only (retries.attempts, retries.on), or raise traffic.maxAmplification",
    );
  }
}

/**
 * The requests that one request may become at the callee. What never reached the application (the conditions that always count) is not among them: of
 * such tries one at most arrives.
 */
function amplificationOf({ retries }: EdgeTraffic): number {
  return retries.idempotentConditions.length > SAFE_CONDITIONS.length ? 1 + retries.attempts : 1;
}

function hopsOf(draft: Draft): PlacedHop[] {
  const byName = servicesByName(draft);
  return draftServices(draft).flatMap(({ service, path }) =>
    (service.calls ?? []).flatMap((call, index) => {
      const callee = call.service === undefined ? undefined : byName.get(call.service);
      const { name } = service;
      if (name === undefined || call.service === undefined || callee === undefined || name === call.service) return [];
      const to = call.service;
      return calledPorts(callee, call).flatMap(({ protocol }): PlacedHop[] => {
        if (protocol === undefined) return [];
        const factor = amplificationOf(edgeTraffic(protocol, callee.traffic, call.traffic));
        return [{ from: name, to, factor, path: [...path, "calls", index] }];
      });
    }),
  );
}
