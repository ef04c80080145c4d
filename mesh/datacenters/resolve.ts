/** Datacenters, from the document to the model: seen from the one that is deployed. */
import { keysOfFile, type KeySets } from "../authentication/end-users";
import { renderKeySet } from "../authentication/jwks";
import { compareAddresses } from "../external/addresses";
import { MeshDocumentError } from "../document/problems";
import type { Edge, GatewayPlace, PeerDatacenter, RemoteService } from "../model";
import { compare } from "../order";
import { WELL_KNOWN } from "../wire";
import type { DatacenterDeclaration, MeshDocument, ServiceDeclaration } from "../schema";
import { answering, runsIn, type Links } from "./placement";
import type { Arrival, Datacenters, Departure } from "./model";

/** What of a document is resolved elsewhere, for any datacenter. */
export interface Resolved {
  /** Calls of the whole document that stand, whoever answers them; sorted. */
  readonly standing: readonly Edge[];
  /** Whether no end of one is revoked. */
  readonly isOpen: (edge: Edge) => boolean;
  /** A service as it is in a datacenter. */
  readonly serviceIn: (declaration: ServiceDeclaration, datacenter: string) => RemoteService;
}

/** The declared datacenters as the own one sees them. @throws MeshDocumentError where a key set file is missing or wrong */
export function resolveDatacenters(
  document: MeshDocument,
  own: string,
  keySets: KeySets,
  { standing, isOpen, serviceIn }: Resolved,
): Datacenters {
  const declared = document.datacenters ?? {};
  const declarations = new Map(document.services.map((service) => [service.name, service]));
  const named = (name: string) => {
    const found = declarations.get(name);
    if (found === undefined) throw new RangeError(`'${name}' is not declared`);
    return found;
  };
  // While the gateway isn't believed nothing crosses.
  const links = named(WELL_KNOWN.gateway).revoked === undefined ? declared : {};
  const answeredIn = (edge: Edge, from: string, over: Links = links) =>
    runsIn(named(edge.from), from) ? answering(named(edge.from), named(edge.to), from, over) : [];
  const edges = standing.filter(isOpen);
  const departures = edges
    .map((edge): Departure => ({ edge, datacenters: answeredIn(edge, own) }))
    .filter(({ datacenters }) => datacenters.some((name) => name !== own));
  const others = Object.keys(declared)
    .filter((name) => name !== own)
    .sort(compare);
  const arrivals = others.flatMap((name) =>
    edges.filter((edge) => answeredIn(edge, name).includes(own)).map((edge): Arrival => ({ datacenter: name, edge })),
  );
  const crosses = (edge: Edge, over: Links) =>
    answeredIn(edge, own, over).some((name) => name !== own) ||
    others.some((name) => answeredIn(edge, name, over).includes(own));
  const closed = standing.filter((edge) => crosses(edge, declared) && !(isOpen(edge) && crosses(edge, links)));
  // A link is there as far as a call goes over it: one that nobody uses is no way, and nobody at its other end is believed.
  const peers = others
    .map((name) => ({
      name,
      isCalled: departures.some(({ datacenters }) => datacenters.includes(name)),
      calls: arrivals.some(({ datacenter }) => datacenter === name),
    }))
    .filter(({ isCalled, calls }) => isCalled || calls)
    .map((use) => resolvePeer(use, own, declared, keySets));
  const elsewhere = new Map<string, RemoteService>();
  const meet = (name: string, datacenter: string) => {
    const key = JSON.stringify([datacenter, name]);
    if (!elsewhere.has(key)) elsewhere.set(key, serviceIn(named(name), datacenter));
  };
  for (const { edge, datacenters } of departures) for (const name of datacenters) if (name !== own) meet(edge.to, name);
  for (const { edge, datacenter } of arrivals) meet(edge.from, datacenter);
  for (const { name } of peers) meet(WELL_KNOWN.gateway, name);
  const here = declared[own];
  if (here === undefined) throw undeclared(own, Object.keys(declared));
  return {
    own,
    gateway: resolveGateway(here),
    peers,
    services: [...elsewhere.values()].sort((a, b) => compare(a.datacenter, b.datacenter) || compare(a.name, b.name)),
    departures,
    arrivals,
    closed,
  };
}

/** The datacenter that a stack deploys; undefined where the document is of one alone. @throws MeshDocumentError where stack and document disagree */
export function ownDatacenter({ datacenters }: MeshDocument, own: string | undefined): string | undefined {
  const names = datacenters === undefined ? [] : Object.keys(datacenters);
  if (own === undefined && datacenters === undefined) return undefined;
  if (own !== undefined && names.includes(own)) return own;
  if (own !== undefined) throw undeclared(own, names);
  const message = "the document is of several datacenters, and the stack doesn't say which of them it deploys";
  throw problem(message, `set lucid-mesh:datacenter to one of ${names.join(", ")}`);
}

function undeclared(own: string, names: readonly string[]): MeshDocumentError {
  const mend =
    names.length === 0
      ? "take lucid-mesh:datacenter out, or declare it here with the others"
      : `declare it, or set lucid-mesh:datacenter to one of ${names.join(", ")}`;
  return problem(`the stack deploys '${own}', which is not declared`, mend);
}

function problem(message: string, mend: string): MeshDocumentError {
  return new MeshDocumentError([{ path: "datacenters", message, mend }], "document");
}

function resolvePeer(
  { name, isCalled, calls }: Pick<PeerDatacenter, "name" | "isCalled" | "calls">,
  own: string,
  declared: Readonly<Record<string, DatacenterDeclaration>>,
  keySets: KeySets,
): PeerDatacenter {
  const declaration = declared[name];
  if (declaration === undefined) throw undeclared(name, Object.keys(declared));
  const { issuer, jwksFile } = declaration.tokens;
  const keys = keysOfFile(jwksFile, keySets, `datacenters.${name}.tokens.jwksFile`);
  const [from, to] = isCalled ? [declared[own], name] : [declaration, own];
  const reason = from?.calls.find(({ datacenter }) => datacenter === to)?.reason ?? "";
  return {
    name,
    gateway: resolveGateway(declaration),
    tokens: { issuer, keySet: renderKeySet(keys) },
    isCalled,
    calls,
    reason: reason.trim(),
  };
}

function resolveGateway({ gateway: { addresses, port, sources } }: DatacenterDeclaration): GatewayPlace {
  const reached = [...new Set(addresses)].sort(compareAddresses);
  return {
    addresses: reached,
    port,
    sources: [...new Set(sources ?? reached.map((address) => `${address}/32`))].sort(compare),
  };
}
