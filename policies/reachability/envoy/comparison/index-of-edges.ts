import type { Party } from "../model";
import type { DeclaredEdge, Declaration } from "./declaration";

/** What is declared, looked up by who calls whom. */
export class DeclaredEdges {
  private readonly byPair = new Map<string, DeclaredEdge[]>();
  private readonly byParty = new Map<Party, DeclaredEdge[]>();

  constructor(readonly declaration: Declaration) {
    for (const edge of declaration.edges) {
      append(this.byPair, JSON.stringify([edge.from, edge.to]), edge);
      append(this.byParty, edge.from, edge);
      if (edge.to !== edge.from) append(this.byParty, edge.to, edge);
    }
  }

  between(from: Party, to: Party): readonly DeclaredEdge[] {
    return this.byPair.get(JSON.stringify([from, to])) ?? [];
  }

  /** Edges from or to a party. */
  of(party: Party): readonly DeclaredEdge[] {
    return this.byParty.get(party) ?? [];
  }

  from(party: Party): readonly DeclaredEdge[] {
    return this.of(party).filter((edge) => edge.from === party);
  }

  nameOf(party: Party): string {
    return this.declaration.nameOf?.(party) ?? party;
  }
}

function append<K>(map: Map<K, DeclaredEdge[]>, key: K, edge: DeclaredEdge): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [edge]);
  else list.push(edge);
}
