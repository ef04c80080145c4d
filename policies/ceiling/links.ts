/** Links between datacenters: what the ceiling lets pass between the one that is judged and others. */
import type { Ceiling } from "./lucid";
import type { CeilingLink } from "./types";
import { anywhere, datacenterOf, isElsewhere } from "../envoy/scope";
import { contains, isClearnet, parseCidr } from "../kubernetes/cidr";

/** Where a gateway takes the calls of services here that leave. */
export const DEPARTURE_PORT = "15443/TCP";
/** Nothing of it crosses: it is an isolated network. */
export const ISOLATED_ZONE = "wallet";

export type LinkLeave = Pick<Ceiling, "datacenter" | "links">;

/** A link by the name of the other datacenter. */
export function linkTo(datacenter: string | undefined, { links }: Pick<Ceiling, "links">): CeilingLink | undefined {
  return datacenter !== undefined && Object.hasOwn(links, datacenter) ? links[datacenter] : undefined;
}

/** Whether a party is the gateway of the datacenter that is judged. */
export function isGateway(party: string, { datacenter }: LinkLeave): boolean {
  return datacenter?.gateway === party;
}

/** Whether two parties are gateways that a link joins, one of them here, and the one that calls is let. */
export function isLinked(from: string, to: string, ceiling: LinkLeave): boolean {
  const [here, elsewhere] = isElsewhere(to) ? [from, to] : [to, from];
  const link = linkTo(datacenterOf(elsewhere), ceiling);
  return (
    isGateway(here, ceiling) &&
    anywhere(elsewhere) === here &&
    link !== undefined &&
    (elsewhere === to ? link.calls : link.exports).length > 0
  );
}

/** Whether a link lists the callee of two parties, one here and one elsewhere, and neither is of an isolated zone or a gateway. Whether the one may call the other is not its matter. */
export function isListed(from: string, to: string, ceiling: LinkLeave): boolean {
  if (isElsewhere(from) === isElsewhere(to)) return false;
  const link = linkTo(datacenterOf(from) ?? datacenterOf(to), ceiling);
  const parties = [from, to].map(anywhere);
  return (
    ceiling.datacenter !== undefined &&
    link !== undefined &&
    (isElsewhere(to) ? link.calls : link.exports).includes(anywhere(to)) &&
    parties.every((party) => !party.startsWith(`${ISOLATED_ZONE}/`) && !isGateway(party, ceiling))
  );
}

/** The addresses of another datacenter's gateway, each a block: those of the open internet with the leave for that alone. */
export function linkBlocks(link: CeilingLink): readonly string[] {
  return link.calls.length === 0 ? [] : within(link, hosts(link));
}

/** The blocks from which another datacenter's gateway may come. */
export function sourceBlocks(link: CeilingLink): readonly string[] {
  return link.exports.length === 0 ? [] : within(link, link.sources);
}

/** Whether a party is the gateway, and may go to a block on a port (`30443/TCP`). */
export function leadsElsewhere(party: string, cidr: string, port: string, ceiling: LinkLeave): boolean {
  return (
    isGateway(party, ceiling) &&
    Object.values(ceiling.links).some((link) => linkBlocks(link).includes(cidr) && link.ports.includes(port))
  );
}

/** Whether a party is the gateway, and others' may come to it from a block. */
export function comesFromElsewhere(cidr: string, party: string, ceiling: LinkLeave): boolean {
  const block = parseCidr(cidr);
  const isOf = (source: string) => {
    const outer = parseCidr(source);
    return block !== undefined && outer !== undefined && contains(outer, block);
  };
  return isGateway(party, ceiling) && Object.values(ceiling.links).some((link) => sourceBlocks(link).some(isOf));
}

/** The members here whom others may call. */
export function exported({ links }: Pick<Ceiling, "links">): readonly string[] {
  return [...new Set(Object.values(links).flatMap((link) => link.exports))];
}

function hosts({ addresses }: CeilingLink): readonly string[] {
  return addresses.map((address) => `${address}/32`);
}

function within({ leave }: CeilingLink, cidrs: readonly string[]): readonly string[] {
  return cidrs.filter((cidr) => leave.clearnet !== undefined || !isClearnet(cidr));
}
