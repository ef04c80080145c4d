import type { Callee, Dial, Entry, Grant, Name, Party, Sidecar } from "./model";
import { CONNECT, matches } from "./requests";
import type { Request } from "./requests";

/** A filter chain that a caller may enter, and what it is let do there. */
export interface Admission {
  readonly entry: Entry;
  readonly grants: readonly Grant[];
}

/** A way from a caller to one port of a callee. */
export interface Way {
  readonly callee: Callee;
  /** The filter chain that its server name chooses; undefined where there is none. */
  readonly entry: Entry | undefined;
  /** Where the caller's application enters it. */
  readonly dials: readonly Dial[];
}

/** Who may reach whom by the sidecars' files, in halves: whom a callee lets in, and whom a caller goes to. */
export class Reachability {
  private readonly byParty: ReadonlyMap<Party, Sidecar>;

  constructor(readonly sidecars: readonly Sidecar[]) {
    this.byParty = new Map(sidecars.map((sidecar) => [sidecar.party, sidecar]));
  }

  sidecarOf(party: Party): Sidecar | undefined {
    return this.byParty.get(party);
  }

  /** Everybody of whom the files speak. */
  get parties(): readonly Party[] {
    const named = this.sidecars.flatMap(({ party, entries, callees }) => [
      party,
      ...entries.flatMap(({ certificates }) => certificates),
      ...callees.map((callee) => callee.party).filter((other) => !other.endsWith("/*")),
    ]);
    return [...new Set(named)];
  }

  /** The chains of a callee where TLS takes the caller's certificate, each with what it is granted; none granted: TLS alone lets it in. */
  admissions(from: Party, to: Party): readonly Admission[] {
    return (this.byParty.get(to)?.entries ?? [])
      .filter((entry) => entry.zone === zoneOf(from) && entry.certificates.includes(from))
      .map((entry) => ({ entry, grants: entry.grants.filter((grant) => grant.party === from) }));
  }

  /** The ways that a caller has to a callee. */
  ways(from: Party, to: Party): readonly Way[] {
    const sidecar = this.byParty.get(from);
    const entries = this.byParty.get(to)?.entries ?? [];
    return (sidecar?.callees ?? [])
      .filter(({ party }) => party === to || (party.endsWith("/*") && party.slice(0, -2) === zoneOf(to)))
      .map((callee) => ({
        callee,
        entry: entries.find(
          ({ listens, serverName }) => listens === callee.dialled && serverName === callee.serverName,
        ),
        dials: sidecar?.dials.filter(({ clusters }) => clusters.includes(callee.cluster)) ?? [],
      }));
  }

  names(party: Party): readonly Name[] {
    return this.byParty.get(party)?.names ?? [];
  }
}

/** Zone of a party. */
export function zoneOf(party: Party): string {
  return party.split("/")[0] ?? "";
}

/** Whether a party is in another datacenter: its zone is named with it. */
export function isElsewhere(party: Party): boolean {
  return zoneOf(party).includes(".");
}

/** Service of a party. */
export function serviceOf(party: Party): string {
  return party.split("/")[1] ?? "";
}

/** The grants by which a request is let in at an instant. @param instant undefined: after every end */
export function grantsFor(admission: Admission, request: Request, instant: string | undefined): readonly Grant[] {
  return admission.grants.filter(
    ({ rules, until }) =>
      (until === undefined || (instant !== undefined && instant < until)) &&
      rules.some((rule) => matches(rule, request)),
  );
}

/** Where the routes of a chain send a request; undefined for nowhere. */
export function targetOf(entry: Entry, request: Request): string | undefined {
  const isConnect = request.method === CONNECT.method;
  return entry.routes.find(({ rule, connect }) => connect === isConnect && matches(rule, request))?.target;
}
