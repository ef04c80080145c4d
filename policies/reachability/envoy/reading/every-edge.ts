/** A ceiling that allows whatever a sidecar's files say: by it their form alone is looked at. */
import { anywhere, datacenterOf, partyOfIdentity } from "../../../envoy/scope";
import type { EdgeCeiling } from "../../../envoy/scope";
import type { Field } from "../../../judgement/field";

/** The files of a sidecar, parsed, by name. */
export type SidecarFiles = Readonly<Record<string, Field>>;

const LEAVE = { reason: "the form alone is looked at", owner: "", until: "" };
const LINK = { sources: [], tokens: [], reason: LEAVE.reason, leave: { clearnet: LEAVE } };
const ANY_ZONE = /^spiffe:\/\/([a-z0-9-]+)(?:\.([a-z0-9-]+))?\.lucid\.internal\//;
/** `<port>.<callee>.<datacenter>.<caller zone>.<own datacenter>`. */
const CROSSING = /^[a-z0-9-]+\.([a-z0-9-]+)\.([a-z0-9-]+)\.([a-z]+)\.[a-z0-9-]+$/;

/** A ceiling in which every one of these zones is one, here or elsewhere. */
export function everyZone(zones: readonly string[]): EdgeCeiling {
  const datacenters = zones.flatMap((zone) => datacenterOf(zone) ?? []);
  return {
    members: Object.fromEntries(zones.map((zone) => [anywhere(zone), []])),
    outside: {},
    infrastructure: {},
    externals: {},
    authenticators: [],
    edges: [],
    datacenter: undefined,
    links: Object.fromEntries(
      datacenters.map((name) => [name, { ...LINK, calls: [], addresses: [], ports: [], exports: [] }]),
    ),
  };
}

/** A ceiling in which whoever the files name is a member, and every edge and every link is allowed. @param datacenter the own one, where there are several */
export function everyEdge(files: SidecarFiles, own: string, datacenter: string | undefined): EdgeCeiling {
  const { parties, datacenters } = namedIn(files, own, datacenter);
  const members: Record<string, string[]> = {};
  for (const party of parties) {
    const [zone = "", service = ""] = party.split("/");
    members[zone] = [...(members[zone] ?? []), ...(service === "" ? [] : [service])];
  }
  const outside = everyAddress(files["clusters.yaml"]);
  const callees = [...parties].filter((party) => !party.endsWith("/"));
  return {
    members,
    outside: outside === undefined ? {} : { [own]: outside },
    infrastructure: {},
    externals: {},
    authenticators: [...parties],
    edges: [{ from: "*", to: "*", ports: ["15001/TCP", "15090/TCP"], reason: LEAVE.reason }],
    datacenter: datacenter === undefined ? undefined : { name: datacenter, gateway: isGateway(files) ? own : "" },
    links: Object.fromEntries(
      [...datacenters].map((name) => [
        name,
        {
          calls: callees,
          exports: callees,
          ...placesOf(clustersNamed(files["clusters.yaml"], `link|${name}`)),
          ...LINK,
        },
      ]),
    ),
  };
}

/** Everybody whom the files name, as the document has them, and the other datacenters. */
function namedIn(files: SidecarFiles, own: string, datacenter: string | undefined) {
  const parties = new Set([own]);
  const datacenters = new Set<string>();
  const meet = (party: string) => {
    parties.add(anywhere(party));
    const elsewhere = datacenterOf(party);
    if (elsewhere !== undefined) datacenters.add(elsewhere);
  };
  for (const file of Object.values(files)) {
    for (const leaf of file.leaves()) {
      const text = leaf.isText ? (leaf.text() ?? "") : "";
      const party = partyOfIdentity(text, datacenter);
      if (party !== undefined) meet(party);
      const [, zone, named] = ANY_ZONE.exec(text) ?? [];
      if (zone !== undefined) meet(named === undefined || named === datacenter ? `${zone}/` : `${zone}.${named}/`);
      const [, callee, to, from] = leaf.path.includes("server_names") ? (CROSSING.exec(text) ?? []) : [];
      if (callee !== undefined && to !== datacenter) meet(`${from ?? ""}.${to ?? ""}/${callee}`);
    }
  }
  const [zone = ""] = own.split("/");
  for (const cluster of clustersNamed(files["clusters.yaml"], "arrival|"))
    parties.add(`${zone}/${(cluster.at("name").text() ?? "").slice("arrival|".length)}`);
  return { parties, datacenters };
}

/** Whether the files are those of a datacenter's gateway. */
function isGateway(files: SidecarFiles): boolean {
  return ["link|", "arrival|"].some((prefix) => clustersNamed(files["clusters.yaml"], prefix).length > 0);
}

function clustersNamed(clusters: Field | undefined, prefix: string): readonly Field[] {
  return (clusters?.at("resources").items() ?? []).filter(
    (cluster) => cluster.at("name").isText && (cluster.at("name").text() ?? "").startsWith(prefix),
  );
}

/** A listing of wherever the clusters of the service's own ports lead, where that is out of the pod. */
function everyAddress(clusters: Field | undefined): EdgeCeiling["outside"][string] | undefined {
  const own = clustersNamed(clusters, "application|");
  const { addresses, ports } = placesOf(own);
  const isInside = addresses.every((address) => address === "127.0.0.1");
  if (isInside && own.every((cluster) => cluster.at("transport_socket").isAbsent)) return undefined;
  return {
    addresses,
    ports,
    names: [...textsAt(own, ".sni"), ...textsAt(own, ".safe_regex.regex").map((regex) => regex.replaceAll("\\", ""))],
    reason: LEAVE.reason,
    leave: { plaintext: LEAVE, clearnet: LEAVE, wallet: LEAVE },
  };
}

/** Where clusters lead. */
function placesOf(clusters: readonly Field[]): { readonly addresses: string[]; readonly ports: string[] } {
  return {
    addresses: textsAt(clusters, ".socket_address.address"),
    ports: leavesAt(clusters, ".socket_address.port_value").flatMap(({ plain }) =>
      typeof plain === "number" ? [`${String(plain)}/TCP`] : [],
    ),
  };
}

function textsAt(clusters: readonly Field[], path: string): string[] {
  return leavesAt(clusters, path).flatMap((field) => (field.isText ? (field.text() ?? []) : []));
}

function leavesAt(clusters: readonly Field[], path: string): readonly Field[] {
  return clusters.flatMap((cluster) => cluster.leaves()).filter((leaf) => leaf.path.endsWith(path));
}
