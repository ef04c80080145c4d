import type { Ceiling, EdgeLeave } from "./lucid";
import { DEPARTURE_PORT, exported, isGateway, isLinked, isListed } from "./links";
import { mayLeave } from "./outside";
import type { CeilingEdge, Side } from "./types";
import { anywhere, isElsewhere } from "../envoy/scope";

/** The port at which a sidecar takes calls: open between members of one zone without the ceiling's leave. */
export const CALL_PORT = "15001/TCP";
/** The port at which a sidecar can be inspected. */
export const INSPECTION_PORT = "15090/TCP";

/**
 * Whether `from` may reach `to` on a port.
 *
 * @param from a party: `<zone>/<service>` (`<zone>.<datacenter>/<service>` in another datacenter), `<zone>/*` (all of a zone that have a sidecar), or an external
 * @param side the half of the edge that is being opened
 */
export function ceilingAllows(from: string, to: string, port: string, side: Side, ceiling: EdgeLeave): boolean {
  if (isElsewhere(from) || isElsewhere(to)) return port === CALL_PORT && mayCross(from, to, side, ceiling);
  if (!mayLeave(from, to, ceiling)) return false;
  if (port === CALL_PORT && sameZone(from, to) && isOneMember(from, ceiling) && isOneMember(to, ceiling)) return true;
  return ceiling.edges.some(
    (edge) => covers(edge, from, to, ceiling) && edge.ports.includes(port) && (edge.sides?.includes(side) ?? true),
  );
}

/** Whether a NetworkPolicy may let `from` connect to `to`: who may call it, and the way of calls that cross, by the gateway, which is no caller of those it passes them on to. */
export function ceilingConnects(from: string, to: string, port: string, side: Side, ceiling: EdgeLeave): boolean {
  if (ceilingAllows(from, to, port, side, ceiling)) return true;
  if (port === DEPARTURE_PORT && isGateway(to, ceiling)) return departs(from, side, ceiling);
  return port === CALL_PORT && isGateway(from, ceiling) && exported(ceiling).includes(to);
}

/** Whether a link leads to somebody whom a member may call. */
export function departs(from: string, side: Side, ceiling: EdgeLeave): boolean {
  return Object.entries(ceiling.links).some(([datacenter, { calls }]) =>
    calls.some((callee) => mayCross(from, callee.replace("/", `.${datacenter}/`), side, ceiling)),
  );
}

/** Whether a call may cross from one datacenter to another: a link lists its callee, and its caller may call that wherever both run. Gateways may where they are linked. */
function mayCross(from: string, to: string, side: Side, ceiling: EdgeLeave): boolean {
  if (isLinked(from, to, ceiling)) return true;
  const [caller, callee] = [from, to].map(anywhere) as [string, string];
  return (
    isListed(from, to, ceiling) &&
    isOneMember(caller, ceiling) &&
    isOneMember(callee, ceiling) &&
    ceilingAllows(caller, callee, CALL_PORT, side, ceiling)
  );
}

/** Whether `<zone>/<service>` is listed. */
export function isMember(party: string, ceiling: Pick<Ceiling, "members">): boolean {
  const [zone = "", service = "", ...rest] = party.split("/");
  return rest.length === 0 && Object.hasOwn(ceiling.members, zone) && ceiling.members[zone]?.includes(service) === true;
}

function covers(edge: CeilingEdge, from: string, to: string, ceiling: EdgeLeave): boolean {
  const matches = (pattern: string, party: string) => (pattern === "*" ? isMeshed(party, ceiling) : pattern === party);
  return matches(edge.from, from) && matches(edge.to, to);
}

/** A member with a sidecar, or all of a zone that have one. */
function isMeshed(party: string, ceiling: EdgeLeave): boolean {
  const isZone = party.endsWith("/*") && Object.hasOwn(ceiling.members, party.slice(0, -2));
  return isZone || isOneMember(party, ceiling);
}

function isOneMember(party: string, ceiling: EdgeLeave): boolean {
  return isMember(party, ceiling) && !Object.hasOwn(ceiling.infrastructure, party);
}

function sameZone(from: string, to: string): boolean {
  return from.split("/")[0] === to.split("/")[0];
}
