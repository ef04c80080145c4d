import { serviceOf, zoneOf } from "../matrix";
import type { Reachability, Way } from "../matrix";
import type { Callee, Dial, Sidecar } from "../model";
import { matches, representatives, requestText } from "../requests";
import type { DeclaredEdge, Difference } from "./declaration";
import type { DeclaredEdges } from "./index-of-edges";
import { placeText } from "./text";

/** Compares the ways that a caller's sidecar has with those that its declared calls need. */
export function compareWays(reachability: Reachability, sidecar: Sidecar, edges: DeclaredEdges): Difference[] {
  const declared = edges.from(sidecar.party);
  return [
    ...sidecar.callees.flatMap((callee) => undeclaredCallee(reachability, sidecar, callee, edges)),
    ...declared.flatMap((edge): Difference[] => {
      const why = obstacle(reachability, sidecar, edge, edges);
      if (why === undefined) return [];
      const text = `${edges.nameOf(edge.from)} can't reach ${edges.nameOf(edge.to)} on ${edge.port}, which is declared: ${why}`;
      return [{ kind: "refused", text, places: [] }];
    }),
  ];
}

function undeclaredCallee(
  reachability: Reachability,
  { party }: Sidecar,
  callee: Callee,
  edges: DeclaredEdges,
): Difference[] {
  const isAnybody = callee.party.endsWith("/*");
  const isDeclared = edges.from(party).some(({ to, port, byAddress }) => {
    if (port !== callee.port) return false;
    return isAnybody ? byAddress === true && zoneOf(to) === callee.zone : to === callee.party && byAddress !== true;
  });
  if (isDeclared) return [];
  const lets = reachability
    .admissions(party, callee.party)
    .filter(({ entry, grants }) => entry.serverName === callee.serverName && grants.length > 0);
  const [from, to] = [edges.nameOf(party), edges.nameOf(callee.party)];
  const why = `${placeText(callee.place)}, goes there as ${callee.serverName}`;
  return [
    lets.length > 0
      ? {
          kind: "undeclared",
          text: `${from} can reach ${to} on ${callee.port}, which nobody declared: ${why}; ${lets.map(({ entry }) => `${placeText(entry.place)}, lets it in`).join(", and ")}`,
          places: [callee.place, ...lets.map(({ entry }) => entry.place)],
        }
      : {
          kind: "half-open",
          text: `${from} has a way to ${to} on ${callee.port}, which nobody declared, and only the other side refuses it: ${why}`,
          places: [callee.place],
        },
  ];
}

/** Why a declared call doesn't arrive; undefined where it does, as far as the way goes: what is let in is the callee's half. */
function obstacle(
  reachability: Reachability,
  sidecar: Sidecar,
  edge: DeclaredEdge,
  edges: DeclaredEdges,
): string | undefined {
  const { resolver, lookedUp } = edges.declaration;
  const byAddress = edge.byAddress === true;
  const ways = reachability
    .ways(edge.from, edge.to)
    .filter(({ callee }) => callee.port === edge.port && callee.party.endsWith("/*") === byAddress);
  const [way, ...others] = ways;
  if (way === undefined) return `no cluster of ${edges.nameOf(edge.from)} goes there`;
  const { callee, entry } = way;
  if (others.length > 0) return `several clusters go there, ${placeText(callee.place)} among them`;
  const at = placeText(callee.place);
  const meant = edge.at?.names ?? lookedUp(edge.to);
  const isLookedUp = callee.lookedUp.every((name) => meant.includes(name)) && callee.lookedUp.includes(meant[0] ?? "");
  if (!byAddress && !isLookedUp) return `${at}, looks up ${callee.lookedUp.join(", ")}`;
  const asked = edge.at?.isLiteral === true ? undefined : resolver;
  if (!byAddress && callee.resolver !== asked) return `${at}, asks ${callee.resolver ?? "nobody"} for its address`;
  if (edge.at !== undefined) {
    if (callee.dialled !== edge.at.port) return `${at}, goes to port ${callee.dialled}`;
    if (edge.at.names.some((name) => !callee.lookedUp.includes(name))) return `${at}, leaves out where it is`;
    return edge.dialled === undefined ? undefined : dialObstacle(sidecar, way, edge, edge.dialled);
  }
  // Where the callee's half is closed on purpose, nothing further is to be open.
  if (edge.only === "caller") return byAddress ? scrapeObstacle(way, edge, edges) : undefined;
  if (entry === undefined)
    return `${at}, goes to ${callee.serverName} at port ${callee.dialled}, where ${serviceOf(edge.to)} has no filter chain`;
  if (!callee.alpn.some((protocol) => entry.alpn.includes(protocol)))
    return `${at}, offers ${callee.alpn.join()}, and ${placeText(entry.place)}, ${entry.alpn.join()}`;
  if (!entry.certificates.includes(edge.from))
    return `${at}, goes to ${callee.serverName}, where ${placeText(entry.place)}, takes others' certificates`;
  if (byAddress) return scrapeObstacle(way, edge, edges);
  if (edge.dialled === undefined) return callee.asked ? undefined : `no filter of the sidecar asks ${callee.cluster}`;
  return dialObstacle(sidecar, way, edge, edge.dialled);
}

function scrapeObstacle(
  { dials, callee }: Way,
  { from, to, port }: DeclaredEdge,
  edges: DeclaredEdges,
): string | undefined {
  const [dial] = dials;
  const requests = edges.scraped(from, zoneOf(to), port);
  if (dial === undefined) return `${placeText(callee.place)}, is reached by no listener`;
  const differs = representatives([...requests, ...dial.requests]).find(
    (request) =>
      requests.some((rule) => matches(rule, request)) !== dial.requests.some((rule) => matches(rule, request)),
  );
  return differs === undefined
    ? undefined
    : `${placeText(dial.place)}, and what is declared don't agree on ${requestText(differs)}`;
}

function dialObstacle(
  { names, party, callees }: Sidecar,
  { dials, callee }: Way,
  edge: DeclaredEdge,
  dialled: { readonly name: string; readonly port: number },
): string | undefined {
  const answer = names.find(({ name }) => name === dialled.name);
  if (answer === undefined) return `${party}'s resolver doesn't know ${dialled.name}`;
  const dial = dials.find(({ address, port }) => answer.addresses.includes(address) && port === dialled.port);
  if (dial === undefined)
    return `${dialled.name}:${dialled.port} (${answer.addresses.join(", ")}) is no listener of ${callee.cluster}`;
  if (dial.carries !== edge.carries)
    return `${placeText(dial.place)}, carries ${dial.carries}, and the port takes ${edge.carries}`;
  const order = dial.clusters.map((cluster) => callees.find((each) => each.cluster === cluster)?.party ?? cluster);
  const meant = edge.order ?? [edge.to];
  return order.join() === meant.join()
    ? undefined
    : `${placeText(dial.place)}, asks ${order.join(", then ")}, and not ${meant.join(", then ")}`;
}

/** Compares what the application is told and where it may dial with what its declared calls need. */
export function compareDials({ party, dials, names, callees }: Sidecar, edges: DeclaredEdges): Difference[] {
  const declared = edges.from(party);
  const caller = edges.nameOf(party);
  const undeclared = (text: string, { place }: Pick<Dial, "place">): Difference => ({
    kind: "undeclared",
    text: `${text}, which nobody declared: ${placeText(place)}`,
    places: [place],
  });
  return [
    ...dials.flatMap((dial) => {
      // Where nothing is, a declared call that should go this way is refused, and says so.
      const there = callees.filter(({ cluster }) => dial.clusters.includes(cluster));
      return there.flatMap((callee) => {
        if (callee.party.endsWith("/*"))
          return scrapeDial(dial, callee, edges, party).map((text) => undeclared(text, dial));
        const known = names.filter(({ addresses }) => addresses.includes(dial.address)).map(({ name }) => name);
        const whom = `${edges.nameOf(callee.party)} on ${callee.port}`;
        const meant = (name: string) =>
          declared.some(
            ({ dialled, to, port }) =>
              dialled?.name === name && dialled.port === dial.port && to === callee.party && port === callee.port,
          );
        if (known.length === 0)
          return [
            undeclared(`${caller}'s application reaches ${whom} at ${dial.address}:${dial.port}, under no name`, dial),
          ];
        return known
          .filter((name) => !meant(name))
          .map((name) => undeclared(`${caller}'s application reaches ${whom} as ${name}:${dial.port}`, dial));
      });
    }),
    ...names.flatMap((name) => {
      if (!declared.some(({ dialled }) => dialled?.name === name.name))
        return [undeclared(`${caller}'s resolver answers ${name.name}`, name)];
      const strange = name.addresses.filter((address) => !dials.some((dial) => dial.address === address));
      return strange.map((address) => undeclared(`${caller}'s resolver answers ${name.name} with ${address}`, name));
    }),
  ];
}

function scrapeDial(dial: Dial, callee: Callee, edges: DeclaredEdges, party: string): string[] {
  const isDeclared = edges
    .from(party)
    .some(({ byAddress, to, port }) => byAddress === true && zoneOf(to) === callee.zone && port === callee.port);
  return isDeclared ? [] : [`${edges.nameOf(party)}'s application reaches all of ${callee.zone} at port ${dial.port}`];
}
