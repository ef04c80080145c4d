/** What a ceiling says of links that can't be, whatever its form. */
import type { Ceiling } from "./lucid";
import { ISOLATED_ZONE } from "./links";
import type { CeilingLink } from "./types";
import { isElsewhere } from "../envoy/scope";
import { Findings } from "../judgement/finding";
import type { Finding } from "../judgement/finding";
import { overlap, parseCidr, touchesNobody } from "../kubernetes/cidr";

const NAME = /^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/;
/** A wider block than of 256 addresses is no gateway's. */
const WIDEST_SOURCE = 24;

export function linkProblems(ceiling: Ceiling): readonly Finding[] {
  const { datacenter, links } = ceiling;
  const findings = new Findings();
  if (datacenter !== undefined) {
    const { name, gateway, nodePort } = datacenter;
    requireName("datacenter.name", name, ceiling, findings);
    findings.require(
      isMeshed(gateway, ceiling) && !gateway.startsWith(`${ISOLATED_ZONE}/`),
      "datacenter.gateway",
      `\`${gateway}\` is no listed member with a sidecar that could be a gateway`,
      "name it as `<zone>/<service>`, and list it under members",
    );
    findings.require(
      nodePort === undefined || isNodePort(nodePort),
      "datacenter.nodePort",
      `\`${nodePort ?? ""}\` is no NodePort`,
      "write it as 30443/TCP",
    );
  }
  findings.require(
    datacenter !== undefined || Object.keys(links).length === 0,
    "links",
    "it isn't said which datacenter is judged, so nothing can be linked to it",
    "name it under `datacenter`",
  );
  for (const [name, link] of Object.entries(links)) {
    const path = `links["${name}"]`;
    requireName(path, name, ceiling, findings);
    findings.require(name !== datacenter?.name, path, "a datacenter is linked to itself", "take it out");
    checkLeaving(path, link, ceiling, findings);
    checkArriving(path, link, ceiling, findings);
  }
  return findings.list;
}

/** It stands beside a zone's name in trust domains, which both must be told from. */
function requireName(path: string, name: string, { members }: Ceiling, findings: Findings): void {
  findings.require(
    NAME.test(name) && !Object.hasOwn(members, name),
    path,
    `\`${name}\` is no datacenter's name`,
    "take a DNS label of 20 characters at most that is no zone's name",
  );
}

function checkLeaving(
  path: string,
  { calls, addresses, ports }: CeilingLink,
  ceiling: Ceiling,
  findings: Findings,
): void {
  checkMembers(`${path}.calls`, calls, ceiling, findings);
  findings.require(
    calls.length === 0 || (addresses.length > 0 && ports.length > 0),
    path,
    "services there may be called, and it isn't said where its gateway is",
    "list its addresses and ports",
  );
  for (const address of addresses) checkBlock(`${path}.addresses`, `${address}/32`, address, ceiling, findings);
  for (const port of ports) {
    findings.require(isPort(port), `${path}.ports`, `\`${port}\` is no port`, "write it as 30443/TCP");
  }
}

function checkArriving(
  path: string,
  { exports: listed, sources, tokens }: CeilingLink,
  ceiling: Ceiling,
  findings: Findings,
): void {
  checkMembers(`${path}.exports`, listed, ceiling, findings);
  findings.require(
    listed.length === 0 || (sources.length > 0 && tokens.length > 0 && ceiling.datacenter?.nodePort !== undefined),
    path,
    "services here may be called from there, and it isn't said from where its gateway comes, by which keys tokens are checked, or where it finds this one's",
    "list sources and tokens, and name datacenter.nodePort",
  );
  for (const source of sources) checkBlock(`${path}.sources`, source, source, ceiling, findings);
  for (const digest of tokens) {
    findings.require(
      /^[0-9a-f]{32}$/.test(digest),
      `${path}.tokens`,
      `\`${digest}\` is no digest of an issuer and its keys`,
      "copy it from the violation that asks for it",
    );
  }
}

function checkMembers(path: string, parties: readonly string[], ceiling: Ceiling, findings: Findings): void {
  for (const party of parties) {
    findings.require(
      isMeshed(party, ceiling) && party !== ceiling.datacenter?.gateway,
      path,
      `\`${party}\` is no listed member with a sidecar that takes calls`,
      "name it as `<zone>/<service>`, and list it under members",
    );
    findings.require(
      !party.startsWith(`${ISOLATED_ZONE}/`),
      path,
      `${ISOLATED_ZONE} is an isolated network: nothing of it crosses`,
      "take it out",
    );
  }
}

function checkBlock(path: string, cidr: string, shown: string, { externals }: Ceiling, findings: Findings): void {
  const block = parseCidr(cidr);
  const pods = Object.values(externals).flatMap((external) => ("cidrs" in external ? external.except : []));
  findings.require(
    block !== undefined &&
      block.prefix >= WIDEST_SOURCE &&
      !touchesNobody(block) &&
      !pods.some((range) => {
        const own = parseCidr(range);
        return own !== undefined && overlap(own, block);
      }),
    path,
    `\`${shown}\` is where no gateway of another datacenter could be`,
    `write an IPv4 address, or a block of /${String(WIDEST_SOURCE)} or narrower, that is none of this cluster's pods`,
  );
}

function isMeshed(party: string, { members, infrastructure }: Ceiling): boolean {
  const [zone = "", service = "", ...rest] = party.split("/");
  return (
    rest.length === 0 &&
    !isElsewhere(party) &&
    Object.hasOwn(members, zone) &&
    members[zone]?.includes(service) === true &&
    !Object.hasOwn(infrastructure, party)
  );
}

function isPort(text: string): boolean {
  const number = Number(/^([1-9]\d{0,4})\/TCP$/.exec(text)?.[1] ?? 0);
  return number > 0 && number <= 65535;
}

/** The range that clusters have unless told otherwise. */
function isNodePort(text: string): boolean {
  const number = isPort(text) ? parseInt(text, 10) : 0;
  return number >= 30000 && number <= 32767;
}
