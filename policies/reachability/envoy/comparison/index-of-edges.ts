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

  nameOf(party: Party): string {
    return this.declaration.nameOf?.(party) ?? party;
  }
}

function append<K>(map: Map<K, DeclaredEdge[]>, key: K, edge: DeclaredEdge): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [edge]);
  else list.push(edge);
}
