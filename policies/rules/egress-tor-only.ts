import type { Ceiling } from "../ceiling";
import { isGateway, linkBlocks } from "../ceiling/links";
import { outsideBlocks, outsideOf } from "../ceiling/outside";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { innerBlocks, contains, isOutside, parseCidr, touchesNobody } from "../kubernetes/cidr";
import type { Block } from "../kubernetes/cidr";
import { KubeObject, NAME_LABEL, isKind } from "../kubernetes/object";

/** No pod has a way out of the cluster but Tor's proxies, and what stands for a service outside with the ceiling's leave. What is reached inside is `network-policy-zone-isolation`'s to judge. */
export const egressTorOnly: ResourceRule = {
  name: "egress-tor-only",
  description:
    "No NetworkPolicy opens a way to addresses outside the cluster but for Tor's proxies and for services outside that the ceiling lets be reached past them, and none for anybody to a node's own services.",
  severity: "critical",
  remediation:
    "Declare who is called outside as a service with `external`, and have the ceiling's owner list it under `outside`; everything else goes by the members under `torProxies`.",
  uses: ["members", "torProxies", "outside", "datacenter", "links"],
  concerns: (type) => isKind(type, "NetworkPolicy"),
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    const zone = object.zone(ceiling) ?? "";
    const service = object.spec.at("podSelector", "matchLabels", NAME_LABEL);
    for (const rule of object.spec.at("egress").items()) {
      const peers = rule.at("to").items();
      findings.require(
        peers.length > 0,
        rule.at("to"),
        "the rule opens every address, those outside the cluster among them",
        "name each peer",
      );
      for (const peer of peers.filter((candidate) => candidate.has("ipBlock"))) {
        const party = service.isUnknown ? "" : `${zone}/${service.text() ?? ""}`;
        if (isListed(party, peer.at("ipBlock"), ceiling)) continue;
        const isProxy = ceiling.torProxies.includes(party);
        judgeBlock(peer.at("ipBlock"), isProxy, ceiling, findings);
      }
    }
  },
};

/** Whether a block is one address of the service outside that a party stands for, or of a gateway to which a link leads from it. */
function isListed(party: string, ipBlock: Field, ceiling: Ceiling): boolean {
  const outside = outsideOf(party, ceiling);
  const links = isGateway(party, ceiling) ? Object.values(ceiling.links) : [];
  const blocks = [...(outside === undefined ? [] : outsideBlocks(outside)), ...links.flatMap(linkBlocks)];
  return blocks.includes(ipBlock.at("cidr").text() ?? "");
}

function judgeBlock(ipBlock: Field, isProxy: boolean, { torProxies }: Ceiling, findings: Findings): void {
  const cidr = ipBlock.at("cidr");
  const block = parseCidr(cidr.text() ?? "");
  if (block === undefined) {
    findings.add(
      cidr,
      `${cidr.shown()} is no IPv4 block, so it can't be told where it leads`,
      "write it as 10.0.0.1/32",
    );
    return;
  }
  const except = ipBlock
    .at("except")
    .texts()
    .flatMap((text) => parseCidr(text) ?? []);
  if (!isOutside(block)) return;
  if (touchesNobody(block) && !isProxy) {
    findings.add(
      cidr,
      `${cidr.shown()} holds addresses of the node itself, or of its cloud's metadata service`,
      "take it out",
    );
    return;
  }
  findings.require(
    isProxy,
    cidr,
    `${cidr.shown()} leads out of the cluster`,
    `take it out, or ${torProxies.length === 0 ? "" : `let it go by ${torProxies.join(", ")}, or `}declare whom it reaches as a service with \`external\` that the ceiling lists under \`outside\``,
  );
  const open = isProxy ? innerBlocks(block).filter((inner) => !isCovered(inner, except)) : [];
  findings.require(
    open.length === 0,
    ipBlock.at("except"),
    "the way out is a way to private addresses, loopback or the metadata service as well",
    "list 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4 and 240.0.0.0/4 under except",
  );
}

function isCovered(inner: Block, except: readonly Block[]): boolean {
  return except.some((outer) => contains(outer, inner));
}
