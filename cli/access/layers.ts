/** Which layers let a call through, each judged on what is rendered for it. */
import { findService, type Edge, type Service } from "../../mesh";
import { serverName, SIDECAR_PORTS } from "../../mesh/wire";
import { networkAllows } from "../enforced/network";
import { judge } from "../enforced/rbac";
import { asksIdentityToken, authenticatorCluster, endUserCheck } from "../enforced/requests";
import { doorFor, hasCluster, knownNames, wayOut, type Door } from "../enforced/sidecar";
import type { Enforced } from "../enforced/world";
import { hasEscapedSlash, type AskedRequest } from "./request";

/** What one layer says to a call. */
export interface LayerVerdict {
  readonly layer: "name" | "NetworkPolicy" | "TLS" | "token" | "authorization" | "end user" | "authentication";
  /** Whether it lets the call through, as far as that can be told without the request. */
  readonly allowed: boolean;
  readonly says: string;
  /** It asks each request for what only the request can show, and refuses those that don't. */
  readonly asks?: true;
  /** What in the document makes it ask: a source and steps below it, for {@link PlaceOf}. */
  readonly declared?: readonly [source: string, ...steps: string[]];
  /** It refuses because the call's end has come. */
  readonly ended?: true;
}

/** The parties of a call. */
export interface Parties {
  readonly from: Service;
  readonly to: Service;
  /** Name of the callee's port. */
  readonly port: string;
}

/**
 * The verdict of every layer, in the order in which a call meets them.
 *
 * @throws NotModelled where a filter holds what can't be judged
 */
export function judgeLayers(enforced: Enforced, parties: Parties, request: AskedRequest): readonly LayerVerdict[] {
  const { from, to, port } = parties;
  const sni = serverName(port, to.name, from.zone);
  const door = doorFor(enforced.sidecar(to), sni);
  return [
    nameLayer(enforced, parties),
    networkLayer(enforced, parties),
    tlsLayer(enforced, parties, sni, door),
    ...(door !== undefined && asksIdentityToken(door) ? [TOKEN] : []),
    authorizationLayer(parties, sni, door, request),
    ...endUserLayer(parties, door, request),
    ...authenticationLayer(enforced, parties, door),
  ];
}

/** The token can't be judged beforehand; a declared caller's sidecar adds the right one by itself. */
const TOKEN: LayerVerdict = {
  layer: "token",
  allowed: true,
  asks: true,
  says: "asked of each request: the caller's sidecar adds its own, bound to its certificate",
};

function endUserLayer({ to, port }: Parties, door: Door | undefined, request: AskedRequest): LayerVerdict[] {
  const check = door === undefined ? undefined : endUserCheck(door, request);
  if (check === undefined) return [];
  const index = to.ports.findIndex(({ name }) => name === port);
  const declared = [`services.${to.name}.ports[${String(index)}]`, "endUsers"] as const;
  const layer = { layer: "end user", allowed: true, declared } as const;
  if (check.need === "none") return [{ ...layer, says: "asks nothing of this request" }];
  const token = `an end user's token of ${check.issuer} for ${check.audiences.join(" or ")}`;
  return [
    { ...layer, asks: true, says: check.need === "all" ? `asks for ${token}` : `asks some requests for ${token}` },
  ];
}

/** Fails closed: where its sidecar has no way to the authenticator nobody is let in. */
function authenticationLayer(enforced: Enforced, { to }: Parties, door: Door | undefined): LayerVerdict[] {
  const cluster = door === undefined ? undefined : authenticatorCluster(door);
  if (cluster === undefined) return [];
  const who = cluster.split("|")[1] ?? cluster;
  const revoked = findService(enforced.mesh, who)?.revoked !== undefined;
  const declared = revoked ? ([`services.${who}`, "revoked"] as const) : (["authentication"] as const);
  const layer = { layer: "authentication", declared } as const;
  return hasCluster(enforced.sidecar(to), cluster)
    ? [
        {
          ...layer,
          allowed: true,
          asks: true,
          says: `asks ${who} about the caller and its certificate, at each request`,
        },
      ]
    : [
        {
          ...layer,
          allowed: false,
          says: `has to ask ${who} about each request, and has no way to it: all are answered 503`,
        },
      ];
}

function nameLayer(enforced: Enforced, { from, to, port }: Parties): LayerVerdict {
  const files = enforced.sidecar(from);
  const known = knownNames(files).includes(to.hostname);
  const out = wayOut(files, to.name, port);
  if (known && out !== undefined) {
    return { layer: "name", allowed: true, says: `${to.hostname} is answered in its pods, at ${out.dialled}` };
  }
  const says = known
    ? `${to.hostname} is answered in the pods of ${from.name}, but nothing listens there for port ${port}`
    : `${to.hostname} does not exist in the pods of ${from.name}`;
  return { layer: "name", allowed: false, says };
}

function networkLayer(enforced: Enforced, { from, to }: Parties): LayerVerdict {
  const { egress, ingress } = networkAllows(enforced.networkPolicies, from, to, SIDECAR_PORTS.inbound);
  const port = String(SIDECAR_PORTS.inbound);
  const closed = [
    ...(egress ? [] : [`${from.namespace}/${from.name} lets nothing out to it`]),
    ...(ingress ? [] : [`${to.namespace}/${to.name} lets nothing in from it`]),
  ];
  const says = closed.length === 0 ? `open on ${port}, at both ends` : `closed on ${port}: ${closed.join(", ")}`;
  return { layer: "NetworkPolicy", allowed: closed.length === 0, says };
}

function tlsLayer(enforced: Enforced, { from, to, port }: Parties, sni: string, door: Door | undefined): LayerVerdict {
  const refused = (says: string): LayerVerdict => ({ layer: "TLS", allowed: false, says });
  if (door === undefined)
    return refused(`${to.name} has no door '${sni}': nobody of ${from.zone} may call its port ${port}`);
  if (door.roots !== `trust/${from.zone}`) return refused(`'${sni}' trusts ${door.roots ?? "no roots"}`);
  if (!door.identities.includes(from.identity)) {
    return refused(`'${sni}' lets in ${door.identities.map(shortName).join(", ")}, not ${shortName(from.identity)}`);
  }
  const out = wayOut(enforced.sidecar(from), to.name, port);
  if (out !== undefined && (out.serverName !== sni || !out.identities.includes(to.identity))) {
    return refused(
      `the caller's sidecar asks for '${out.serverName ?? ""}' of ${out.identities.map(shortName).join(", ")}`,
    );
  }
  return { layer: "TLS", allowed: true, says: `'${sni}' lets in ${from.identity}` };
}

function authorizationLayer(
  { from }: Parties,
  sni: string,
  door: Door | undefined,
  request: AskedRequest,
): LayerVerdict {
  const verdict = (allowed: boolean, says: string): LayerVerdict => ({ layer: "authorization", allowed, says });
  if (door === undefined) return verdict(false, "no filter chain, so no policy, is there for such callers");
  if (request.path !== undefined && hasEscapedSlash(request.path)) {
    return verdict(false, "a path with an escaped slash is answered 400 before any policy is asked");
  }
  const judgement = judge(door.rbac, { identity: from.identity, serverName: sni, ...request });
  if (judgement.allowed) {
    const end = judgement.end === undefined ? "" : `, until ${judgement.end}`;
    return verdict(true, `policy '${judgement.policy}' allows it${end}`);
  }
  switch (judgement.because) {
    case "caller":
      return verdict(false, `no policy names ${shortName(from.identity)}`);
    case "request":
      return verdict(false, `policy '${judgement.policy}' does not allow this method and path`);
    case "ended":
      return { ...verdict(false, `policy '${judgement.policy}' ended at ${judgement.end}`), ended: true };
  }
}

/** `ops/admin-ui`. */
export function shortName(identity: string): string {
  const match = /^spiffe:\/\/([a-z]+)\.[a-z.]+\/ns\/[a-z-]+\/sa\/([a-z0-9-]+)$/.exec(identity);
  return match === null ? identity : `${match[1] ?? ""}/${match[2] ?? ""}`;
}

/** The edge of a call, if it is declared. */
export function edgeOf(edges: readonly Edge[], { from, to, port }: Parties): Edge | undefined {
  return edges.find((edge) => edge.from === from.name && edge.to === to.name && edge.port === port);
}
