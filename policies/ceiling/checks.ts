import type { Ceiling } from "./lucid";
import { isMember } from "./edges";
import { linkProblems } from "./link-checks";
import { outsideProblems } from "./outside";
import type { CeilingEdge } from "./types";
import type { Finding } from "../judgement/finding";
import { Findings } from "../judgement/finding";
import { isOutside, parseCidr } from "../kubernetes/cidr";

const PORT = /^([1-9]\d{0,4})\/(TCP|UDP|SCTP)$/;
const NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const PARTY_MEND = "name a listed member as `<zone>/<service>`";

/** What a ceiling says that can't be, whatever its form: nothing is granted by mistake. */
export function ceilingProblems(ceiling: Ceiling): readonly Finding[] {
  const findings = new Findings();
  checkMembers(ceiling, findings);
  checkExternals(ceiling, findings);
  ceiling.edges.forEach((edge, index) => {
    checkEdge(edge, `edges[${String(index)}]`, ceiling, findings);
  });
  for (const power of Object.keys(ceiling.powers)) {
    findings.require(
      /^[a-z]+ [a-z0-9.]+\/[a-z]+(\/[a-z]+)?$/.test(power) && !/^(escalate|bind|impersonate) /.test(power),
      `powers["${power}"]`,
      "it is no right that a role could be given leave for",
      "write `<verb> <group>/<resource>`; escalate, bind and impersonate are for nobody",
    );
  }
  return [...findings.list, ...outsideProblems(ceiling), ...linkProblems(ceiling)];
}

/** What a ceiling says of parties that don't exist: it grants nothing, and is most likely a slip of the pen. */
export function ceilingNotes(ceiling: Ceiling): readonly Finding[] {
  const findings = new Findings();
  const known = (party: string) => isMember(party, ceiling) || Object.hasOwn(ceiling.externals, party) || party === "*";
  ceiling.edges.forEach((edge, index) => {
    for (const side of ["from", "to"] as const) {
      findings.require(
        known(edge[side]),
        `edges[${String(index)}].${side}`,
        `\`${edge[side]}\` is neither a listed member nor an external, so the edge lets nobody through`,
        "take the edge out, or list the party",
      );
    }
  });
  const lists: readonly (readonly [key: string, parties: readonly string[]])[] = [
    ["infrastructure", Object.keys(ceiling.infrastructure)],
    ["joined", Object.keys(ceiling.joined)],
    ["authenticators", ceiling.authenticators],
    ["torProxies", ceiling.torProxies],
    ["apiClients", Object.keys(ceiling.apiClients)],
    ["snapshotTakers", Object.keys(ceiling.snapshotTakers)],
    ["aclReaders", Object.keys(ceiling.aclReaders)],
    ["mtlsOptional", Object.keys(ceiling.mtlsOptional).filter((party) => party !== "*")],
  ];
  for (const [key, parties] of lists) {
    for (const party of parties) {
      findings.require(isMember(party, ceiling), key, `\`${party}\` is no listed member`, PARTY_MEND);
    }
  }
  return findings.list;
}

function checkMembers({ members }: Ceiling, findings: Findings): void {
  for (const [zone, services] of Object.entries(members)) {
    findings.require(
      /^[a-z]+$/.test(zone),
      "members",
      `\`${zone}\` is no zone's name`,
      "take lower-case letters alone",
    );
    for (const service of services) {
      findings.require(
        NAME.test(service),
        `members.${zone}`,
        `\`${service}\` is no service's name`,
        "take a DNS label",
      );
    }
  }
}

function checkExternals({ externals }: Ceiling, findings: Findings): void {
  for (const [name, external] of Object.entries(externals)) {
    const path = `externals["${name}"]`;
    findings.require(
      name.startsWith("external/"),
      path,
      "an external's name could be a member's",
      "name it `external/<name>`",
    );
    if (!("cidrs" in external)) {
      findings.require(
        Object.keys(external.labels).length > 0 && !external.namespace.startsWith("lucid-"),
        path,
        "the external is everything in a namespace, or pods of the mesh itself",
        "name labels, and a namespace outside the mesh; members are listed under `members`",
      );
      continue;
    }
    for (const cidr of [...external.cidrs, ...external.except]) {
      findings.require(parseCidr(cidr) !== undefined, path, `\`${cidr}\` is no IPv4 block`, "write it as 10.0.0.0/8");
    }
  }
}

function checkEdge({ from, to, ports }: CeilingEdge, path: string, ceiling: Ceiling, findings: Findings): void {
  for (const port of ports) {
    findings.require(
      Number(PORT.exec(port)?.[1] ?? 0) > 0 && Number(PORT.exec(port)?.[1]) <= 65535,
      `${path}.ports`,
      `\`${port}\` is no port`,
      "write it as 15001/TCP",
    );
  }
  const external = Object.hasOwn(ceiling.externals, to) ? ceiling.externals[to] : undefined;
  const leavesCluster =
    external !== undefined &&
    "cidrs" in external &&
    external.cidrs.some((cidr) => {
      const block = parseCidr(cidr);
      return block !== undefined && isOutside(block);
    });
  findings.require(
    !leavesCluster || ceiling.torProxies.includes(from),
    path,
    `it lets \`${from}\` out of the cluster past Tor`,
    "let torProxies reach those addresses, and everybody else them",
  );
}
