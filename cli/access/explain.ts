/** Whether a call is allowed, by which layers, and which line of the document says so. */
import { edgesFrom, edgesTo, findService, firstPort, isJob, type Edge, type Service } from "../../mesh";
import { didYouMean, listed, nearest } from "../../mesh/document/suggest";
import type { Enforced } from "../enforced/world";
import { CliError } from "../exit-status";
import { edgeOf, judgeLayers, type LayerVerdict, type Parties } from "./layers";
import type { AskedRequest } from "./request";
import { revokedEnds, revokedText } from "./revoked";
import { rulesText } from "./rules-text";

/** What is known of a call. */
export interface Explanation {
  readonly allowed: boolean;
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly request: AskedRequest;
  readonly layers: readonly PlacedVerdict[];
  /** Line of the document that allows the call or would have to, and what stands there. */
  readonly document: { readonly place: string; readonly says: string };
  readonly reason?: string;
  /** What is declared nearest to a call that is refused, and other hints. */
  readonly hints: readonly string[];
}

/** What a layer says, and the line of the document that makes it say so, where that isn't the call's own. */
export interface PlacedVerdict extends Omit<LayerVerdict, "declared"> {
  readonly place?: string;
}

/** Who calls whom, as a command line says it. */
export interface Asked {
  readonly from: string;
  readonly to: string;
  readonly port?: string;
  readonly request: AskedRequest;
}

/** Where something stands in the document; see {@link Project.placeOf}. */
export type PlaceOf = (source: string, ...steps: readonly string[]) => string;

/**
 * Explains a call.
 *
 * @throws CliError where it names what isn't declared at all
 */
export function explain(enforced: Enforced, placeOf: PlaceOf, asked: Asked): Explanation {
  const parties = partiesOf(enforced, asked);
  const { from, to, port } = parties;
  const { request } = asked;
  const layers = judgeLayers(enforced, parties, request);
  const allowed = layers.every((layer) => layer.allowed);
  const edge = edgeOf(enforced.mesh.edges, parties);
  return {
    allowed,
    from: from.name,
    to: to.name,
    port,
    request,
    layers: layers.map(({ declared, ...verdict }) =>
      declared === undefined ? verdict : { ...verdict, place: placeOf(...declared) },
    ),
    document: revokedLine(enforced, parties, placeOf) ?? documentLine(edge, parties, placeOf, layers),
    ...(edge?.reason === undefined ? {} : { reason: edge.reason }),
    hints: allowed ? [] : hintsFor(enforced, parties, edge, request, placeOf, layers),
  };
}

/** The services and the port that are meant. @throws CliError where they aren't declared */
function partiesOf(enforced: Enforced, asked: Asked): Parties {
  const { mesh } = enforced;
  const service = (name: string, option: string): Service => {
    const found = findService(mesh, name);
    if (found !== undefined) return found;
    const names = mesh.services.map((candidate) => candidate.name);
    throw new CliError(
      `--${option}: '${name}' is no service of the document; ${didYouMean(name, names, `name ${listed(names)}`)}`,
    );
  };
  const from = service(asked.from, "from");
  const to = service(asked.to, "to");
  if (from === to)
    throw new CliError(`'${from.name}' does not call itself through the mesh; its own ports are on 127.0.0.1`);
  if (isJob(to)) throw new CliError(`--to: '${to.name}' is a job: it has no port, so nobody can call it`);
  const ports = to.ports.map(({ name }) => name);
  if (asked.port === undefined) return { from, to, port: likelyPort(enforced, from, to, asked.request) };
  if (!ports.includes(asked.port)) {
    throw new CliError(
      `--port: '${to.name}' has no port '${asked.port}'; ${didYouMean(asked.port, ports, `name ${listed(ports)}`)}`,
    );
  }
  return { from, to, port: asked.port };
}

/** The port that a question without one means: one that is called already, and on which such a request can be asked. */
function likelyPort({ mesh }: Enforced, from: Service, to: Service, request: AskedRequest): string {
  const grpc = request.method === "POST" && /^\/[\w.]+\/\w+$/.test(request.path ?? "");
  const suits = to.ports.filter(({ protocol }) =>
    grpc ? ["grpc", "http2"].includes(protocol) : request.path === undefined || protocol !== "tcp",
  );
  const called = edgesFrom(mesh, from).filter((edge) => edge.to === to.name);
  const port = suits.find(({ name }) => called.some((edge) => edge.port === name)) ?? suits[0] ?? firstPort(to);
  return port.name;
}

/** The line that revokes an end of the call. */
function revokedLine({ mesh }: Enforced, { from, to }: Parties, placeOf: PlaceOf): Explanation["document"] | undefined {
  const ends = revokedEnds(mesh, { from: from.name, to: to.name });
  const [first] = ends;
  if (first === undefined) return undefined;
  return { place: placeOf(`services.${first.name}`, "revoked"), says: ends.map(revokedText).join("; ") };
}

function documentLine(
  edge: Edge | undefined,
  { from, to, port }: Parties,
  placeOf: PlaceOf,
  layers: readonly LayerVerdict[],
): Explanation["document"] {
  if (edge === undefined) {
    const place = placeOf(`services.${from.name}`, "calls");
    return { place, says: `services.${from.name}.calls names no call to port ${port} of ${to.name}` };
  }
  const refused = layers.find((layer) => !layer.allowed);
  if (refused?.declared !== undefined) {
    return { place: placeOf(...refused.declared), says: `${refused.declared.join(".")}: ${to.name} ${refused.says}` };
  }
  const steps = refused?.ended === true ? ["until"] : refused === undefined ? [] : ["paths"];
  const end = edge.until === undefined ? "" : `, until ${edge.until}`;
  return { place: placeOf(edge.source, ...steps), says: `${edge.source} allows ${rulesText(edge)}${end}` };
}

function hintsFor(
  { mesh }: Enforced,
  { from, to, port }: Parties,
  edge: Edge | undefined,
  request: AskedRequest,
  placeOf: PlaceOf,
  layers: readonly LayerVerdict[],
): readonly string[] {
  if (edge !== undefined) {
    const opens = layers
      .filter(({ layer, allowed }) => allowed && ["name", "NetworkPolicy", "TLS"].includes(layer))
      .map(({ layer }) => layer);
    if (layers.some(({ ended }) => ended)) {
      return [`${opens.join(", ")} stay open until the next \`pulumi up\`, which leaves the call out`];
    }
    const paths = edge.rules.flatMap((rule) => rule.paths);
    const near = request.path === undefined ? undefined : nearest(request.path, paths);
    return near === undefined || near === request.path ? [] : [`did you mean ${near}?`];
  }
  const closed = edgeOf(mesh.closed, { from, to, port });
  if (closed !== undefined) {
    return [`declared, and closed by the revocation: ${closed.source} (${placeOf(closed.source)})`];
  }
  const show = (other: Edge) => `${other.from} → ${other.to} port ${other.port} (${placeOf(other.source)})`;
  const declared = edgesFrom(mesh, from).filter((other) => other.kind === "call");
  const otherPorts = declared.filter((other) => other.to === to.name);
  if (otherPorts.length > 0) return [`declared nearest to it: ${otherPorts.map(show).join("; ")}`];
  const backwards = edgesFrom(mesh, to).filter((other) => other.to === from.name && other.kind === "call");
  const callers = edgesTo(mesh, to).filter((other) => other.port === port && other.kind === "call");
  return [
    ...(backwards.length > 0 ? [`declared the other way round: ${backwards.map(show).join("; ")}`] : []),
    callers.length > 0
      ? `callers of that port: ${callers.map(show).join("; ")}`
      : `${from.name} calls ${declared.length === 0 ? "nobody" : listed(new Set(declared.map((other) => other.to)))}`,
  ];
}
