/** What an admission policy lets be in particular, read from its variables and held against the ceiling. */
import type { Ceiling } from "../ceiling";
import { ceilingConnects, isMember } from "../ceiling/edges";
import { comesFromElsewhere, exported, leadsElsewhere } from "../ceiling/links";
import { leadsTo, mayLeave } from "../ceiling/outside";
import type { Side } from "../ceiling/types";
import { mayReachEtcd } from "../etcd/clients";
import { issuerOf } from "../issuing/names";
import { contains, overlap, parseCidr } from "../kubernetes/cidr";
import { parseImage } from "../kubernetes/image";

/** What is wrong with a value, each with its mend. */
export type Complaint = readonly [problem: string, mend: string];

const ASK = "take it out, or have the ceiling's owner list it with a reason";
const CALL = "15001/TCP";

type Reader = (value: unknown, ceiling: Ceiling) => readonly Complaint[];

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

/** A map of lists of strings; CEL has no empty one of a type, so one empty entry stands for it. */
function entriesOf(value: unknown): readonly (readonly [string, readonly string[]])[] | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (!entries.every((entry): entry is [string, string[]] => isTexts(entry[1]))) return undefined;
  return entries.filter(([key]) => key !== "");
}

const MALFORMED: readonly Complaint[] = [
  ["the variable does not have the form of its data", "render it with admission/"],
];

const services: Reader = (value, ceiling) =>
  entriesOf(value)?.flatMap(([party, images]) => [
    ...(isMember(party, ceiling) ? [] : [[`it lets ${party} be a member`, ASK] as const]),
    ...imageComplaints(images, ceiling.images),
  ]) ?? MALFORMED;

const calls: Reader = (value, ceiling) =>
  entriesOf(value)?.flatMap(([from, callees]) =>
    callees
      .filter((to) => !(["egress", "ingress"] as const).some((side) => ceilingConnects(from, to, CALL, side, ceiling)))
      .map((to): Complaint => [`it lets NetworkPolicies open ${from} to ${to} on ${CALL}`, ASK]),
  ) ?? MALFORMED;

const openings =
  (side: Side): Reader =>
  (value, ceiling) =>
    isTexts(value) ? value.flatMap((opening) => openingComplaint(opening, side, ceiling)) : MALFORMED;

function openingComplaint(opening: string, side: Side, ceiling: Ceiling): readonly Complaint[] {
  const [, from = "", to = "", port = ""] = /^(.+)>(.+):(\d+\/(?:TCP|UDP))$/.exec(opening) ?? [];
  // `*` in an edge of the ceiling is every member with a sidecar, as it is here.
  const isWayOut =
    side === "egress" ? leadsTo(from, to, port, ceiling) || leadsElsewhere(from, to, port, ceiling) : false;
  const isWayIn = side === "ingress" && port === CALL && comesFromElsewhere(from, to, ceiling);
  const allowed =
    mayLeave(from, to, ceiling) &&
    ceiling.edges.some(
      (edge) =>
        edge.from === from &&
        edge.ports.includes(port) &&
        (edge.sides?.includes(side) ?? true) &&
        isParty(edge.to, to, ceiling),
    );
  const isPlain = !from.includes("*") && !to.includes("*") && ceilingConnects(from, to, port, side, ceiling);
  return allowed || isPlain || isWayOut || isWayIn ? [] : [[`it lets NetworkPolicies open ${opening}`, ASK]];
}

/** A party by its name, or by addresses that an external of the ceiling has. */
function isParty(listed: string, to: string, { externals }: Ceiling): boolean {
  const block = parseCidr(to);
  const external = Object.hasOwn(externals, listed) ? externals[listed] : undefined;
  if (block === undefined || external === undefined || !("cidrs" in external)) return listed === to;
  const parsed = (list: readonly string[]) => list.flatMap((cidr) => parseCidr(cidr) ?? []);
  return (
    block.prefix >= external.widestPrefix &&
    parsed(external.cidrs).some((outer) => contains(outer, block)) &&
    !parsed(external.except).some((pods) => overlap(pods, block))
  );
}

const infrastructure: Reader = (value, ceiling) =>
  isTexts(value)
    ? value
        .filter((party) => !Object.hasOwn(ceiling.infrastructure, party))
        .map((party): Complaint => [`it lets ${party} run without a sidecar`, ASK])
    : MALFORMED;

/** Whoever is not let reach etcd has no certificate for it. */
const etcdClients: Reader = (value, ceiling) =>
  isTexts(value)
    ? value
        .filter((party) => !mayReachEtcd(party, ceiling))
        .map((party): Complaint => [`it lets ${party}'s application have a certificate for etcd`, ASK])
    : MALFORMED;

/** For whom issuers make certificates: each for members with a sidecar of its own zone. */
const issued: Reader = (value, ceiling) =>
  entriesOf(value)?.flatMap(([party, issuers]) =>
    issuers
      .filter(
        (issuer) =>
          !isMember(party, ceiling) ||
          Object.hasOwn(ceiling.infrastructure, party) ||
          issuer !== issuerOf(party.slice(0, party.indexOf("/"))),
      )
      .map((issuer): Complaint => [`it lets ${issuer} make certificates for ${party}`, ASK]),
  ) ?? MALFORMED;

/** The datacenter whose name issued certificates bear; empty where the mesh is in one. */
const datacenter: Reader = (value, ceiling) =>
  value === (ceiling.datacenter?.name ?? "")
    ? []
    : [[`it lets issuers name ${value === "" ? "no datacenter" : `datacenter ${String(value)}`}`, ASK]];

const imagesOf =
  (listed: (ceiling: Ceiling) => readonly string[]): Reader =>
  (value, ceiling) =>
    isTexts(value) ? imageComplaints(value, listed(ceiling)) : MALFORMED;

function imageComplaints(images: readonly string[], listed: readonly string[]): readonly Complaint[] {
  return images
    .filter((image) => !listed.includes(parseImage(image)?.repository ?? ""))
    .map((image): Complaint => [`it lets images of ${image} run`, ASK]);
}

/** Ports on the nodes: the gateway's, for those of other datacenters. */
const nodePorts: Reader = (value, ceiling) =>
  isTexts(value)
    ? value
        .filter(
          (port) =>
            ceiling.datacenter?.nodePort === undefined ||
            exported(ceiling).length === 0 ||
            port !== `${ceiling.datacenter.gateway}:${ceiling.datacenter.nodePort}`,
        )
        .map((port): Complaint => [`it lets a Service open ${port} on the nodes`, ASK])
    : MALFORMED;

/** What only narrows, or is told to those who ask. (Which namespaces are inhabited is held against the plan by `stack-invariants`.) */
const harmless: Reader = (value) => (isTexts(value) || typeof value === "string" ? [] : MALFORMED);

/** By the names of variables. */
export const DATA: Readonly<Record<string, Reader>> = {
  services,
  calls,
  letIn: openings("ingress"),
  letOut: openings("egress"),
  infrastructure,
  etcdClients,
  issued,
  datacenter,
  nodePorts,
  sidecarImages: imagesOf((ceiling) => [ceiling.sidecarImage]),
  startGateImages: imagesOf((ceiling) => ceiling.startGateImages),
  revoked: harmless,
  inhabited: harmless,
  generation: harmless,
};
