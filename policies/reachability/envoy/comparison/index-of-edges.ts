import { zoneOf } from "../matrix";
import type { Party } from "../model";
import type { RequestRule } from "../requests";
import type { DeclaredEdge, Declaration } from "./declaration";

/** What is declared, looked up by who calls whom. */
export class DeclaredEdges {
  private readonly byPair = new Map<string, DeclaredEdge[]>();
  private readonly byParty = new Map<Party, DeclaredEdge[]>();
  /** By scraper, zone and port: each rule by its text, for a zone's services mostly have the same. */
  private readonly byZone = new Map<string, Map<string, RequestRule>>();

  constructor(readonly declaration: Declaration) {
    for (const edge of declaration.edges) {
      if (edge.byAddress === true) {
        const key = zoneKey(edge.from, zoneOf(edge.to), edge.port);
        const rules = this.byZone.get(key) ?? new Map<string, RequestRule>();
        for (const rule of edge.requests) rules.set(JSON.stringify(rule), rule);
        this.byZone.set(key, rules);
      }
      append(this.byPair, JSON.stringify([edge.from, edge.to]), edge);
      append(this.byParty, edge.from, edge);
      if (edge.to !== edge.from) append(this.byParty, edge.to, edge);
    }
  }

  /** Whom a callee may let ask. */
  between(from: Party, to: Party): readonly DeclaredEdge[] {
    return (this.byPair.get(JSON.stringify([from, to])) ?? []).filter(({ only }) => only !== "caller");
  }

  /** Whom a caller may go to. */
  from(party: Party): readonly DeclaredEdge[] {
    return (this.byParty.get(party) ?? []).filter(({ from, only }) => from === party && only !== "callee");
  }

  /** By whom a callee may be asked. */
  to(party: Party): readonly DeclaredEdge[] {
    return (this.byParty.get(party) ?? []).filter(({ to, only }) => to === party && only !== "caller");
  }

  /** What a scraper may ask of any of a zone: all go by one way, and each of them lets in what is declared of itself. */
  scraped(from: Party, zone: string, port: string): readonly RequestRule[] {
    return [...(this.byZone.get(zoneKey(from, zone, port))?.values() ?? [])];
  }

  nameOf(party: Party): string {
    return this.declaration.nameOf?.(party) ?? party;
  }
}

function zoneKey(from: Party, zone: string, port: string): string {
  return JSON.stringify([from, zone, port]);
}

function append<K>(map: Map<K, DeclaredEdge[]>, key: K, edge: DeclaredEdge): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [edge]);
  else list.push(edge);
}
