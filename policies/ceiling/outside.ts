/** Services outside the cluster: what the ceiling lets stand for one, where that leads, and who may call it. */
import type { Ceiling } from "./lucid";
import type { CeilingOutside } from "./types";
import type { Finding } from "../judgement/finding";
import { Findings } from "../judgement/finding";
import { isClearnet, parseCidr, touchesNobody } from "../kubernetes/cidr";

type Leave = Pick<Ceiling, "outside">;

const DNS_NAME = /^(\*\.)?(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** Where a member leads, if it stands for a service outside the cluster. */
export function outsideOf(party: string, { outside }: Leave): CeilingOutside | undefined {
  return Object.hasOwn(outside, party) ? outside[party] : undefined;
}

/** The blocks that a member may go to, each one address: those of the open internet with the leave for that alone. */
export function outsideBlocks({ addresses, leave }: CeilingOutside): readonly string[] {
  return addresses
    .map((address) => `${address}/32`)
    .filter((cidr) => leave.clearnet !== undefined || !isClearnet(cidr));
}

/** Whether a member may go to a block on a port (`5432/TCP`). */
export function leadsTo(party: string, cidr: string, port: string, ceiling: Leave): boolean {
  const outside = outsideOf(party, ceiling);
  return outside !== undefined && outsideBlocks(outside).includes(cidr) && outside.ports.includes(port);
}

/**
 * Whether nothing keeps `from` from a service outside that `to` stands for. Wallet is an isolated network, so an edge of the ceiling is not enough for it.
 *
 * @param from `<zone>/<service>`, `<zone>/*`, or `*` for everybody
 */
export function mayLeave(from: string, to: string, ceiling: Leave): boolean {
  const outside = outsideOf(to, ceiling);
  const isIsolated = from === "*" || from.split("/")[0] === "wallet";
  return outside === undefined || !isIsolated || outside.leave.wallet !== undefined;
}

/** What can't be, whatever its form. */
export function outsideProblems({ outside, members, infrastructure }: Ceiling): readonly Finding[] {
  const findings = new Findings();
  for (const [party, { addresses, ports, names, leave }] of Object.entries(outside)) {
    const path = `outside["${party}"]`;
    const [zone = "", service = ""] = party.split("/");
    findings.require(
      members[zone]?.includes(service) === true && !Object.hasOwn(infrastructure, party),
      path,
      `\`${party}\` is no listed member with a sidecar`,
      "name it as `<zone>/<service>`, and list it under members",
    );
    findings.require(
      !["chain", "wallet"].includes(zone),
      path,
      `${zone} holds its own services alone, and no way out of the cluster`,
      "let it stand in edge, or in the zone of its callers",
    );
    for (const address of addresses) {
      const block = parseCidr(`${address}/32`);
      findings.require(
        block !== undefined && !touchesNobody(block),
        `${path}.addresses`,
        `\`${address}\` is no address that a service outside could have`,
        "write its IPv4 address, as 10.20.0.5",
      );
    }
    for (const port of ports) {
      const number = Number(/^([1-9]\d{0,4})\/TCP$/.exec(port)?.[1] ?? 0);
      findings.require(
        number > 0 && number <= 65535,
        `${path}.ports`,
        `\`${port}\` is no port`,
        "write it as 5432/TCP",
      );
    }
    for (const name of names) {
      findings.require(DNS_NAME.test(name), `${path}.names`, `\`${name}\` is no DNS name`, "write it in full");
    }
    findings.require(
      names.length > 0 || leave.plaintext !== undefined,
      `${path}.names`,
      "no name says whose certificate the service must show",
      "list its names, or have a leave for plaintext",
    );
  }
  return findings.list;
}
