import { PortSet } from "../../sets/port-set";
import type { Direction } from "../model";
import type { Connection, Half, Reachability } from "../reachability";
import { grouped } from "../workload-index";
import { closedBy, openedBy, placesOf } from "./counterexample";
import type { Declaration, DeclaredEdge, Violation } from "./declaration";

/** What is declared from one party to another. */
interface Declared {
  readonly both: PortSet;
  readonly egress: PortSet;
  readonly ingress: PortSet;
}

const NOTHING: Declared = { both: PortSet.none, egress: PortSet.none, ingress: PortSet.none };

/** Compares what is open between workloads with what is declared between the parties that they are. */
export function comparePairs(reachability: Reachability, declaration: Declaration): Violation[] {
  const keyOf = ({ from, to }: Pick<DeclaredEdge, "from" | "to">) => JSON.stringify([from, to]);
  const declared = new Map<string, Declared>();
  for (const edge of declaration.edges) {
    const { both, egress, ingress } = declared.get(keyOf(edge)) ?? NOTHING;
    declared.set(keyOf(edge), {
      both: edge.only === undefined ? both.union(edge.ports) : both,
      egress: edge.only === "ingress" ? egress : egress.union(edge.ports),
      ingress: edge.only === "egress" ? ingress : ingress.union(edge.ports),
    });
  }

  const violations: Violation[] = [];
  for (const connection of reachability.connections()) {
    const parties = { from: declaration.partyOf(connection.from), to: declaration.partyOf(connection.to) };
    violations.push(...excess(connection, parties, declared.get(keyOf(parties)) ?? NOTHING));
  }
  if (declaration.atMost === true) return violations;
  const workloads = grouped(reachability.workloads, (workload) => declaration.partyOf(workload));
  for (const [key, ports] of declared) {
    const [from = "", to = ""] = JSON.parse(key) as string[];
    const pairs = (workloads.get(from) ?? []).flatMap((caller) =>
      (workloads.get(to) ?? []).map((callee) => reachability.between(caller, callee)),
    );
    for (const party of [from, to].filter((name) => !workloads.has(name))) {
      const text = `${from} can't reach ${to}, which is declared: no workload is ${party}`;
      violations.push({ kind: "refused", text, places: [] });
    }
    violations.push(...pairs.flatMap((connection) => lack(connection, { from, to }, ports)));
  }
  return violations;
}

interface Parties {
  readonly from: string;
  readonly to: string;
}

function excess(connection: Connection, { from, to }: Parties, declared: Declared): Violation[] {
  const { egress, ingress } = connection;
  const undeclared = connection.ports.minus(declared.both);
  const violations: Violation[] = [];
  if (!undeclared.isEmpty) {
    const why = [openedBy(egress, undeclared, from, "egress"), openedBy(ingress, undeclared, to, "ingress")];
    violations.push({
      kind: "undeclared",
      text: `${from} can reach ${to} on ${undeclared.toString()}, which nobody declared: ${why.join("; ")}`,
      places: [...placesOf(egress, undeclared), ...placesOf(ingress, undeclared)],
    });
  }
  const half = (direction: Direction, open: Half, subject: string) => {
    const rest = open.ports.minus(declared[direction]).minus(undeclared);
    // An unrestricted half is a violation by itself.
    if (open.policies.length === 0 || rest.isEmpty) return;
    const what = direction === "egress" ? `${from} is let out to ${to}` : `${to} lets ${from} in`;
    violations.push({
      kind: "half-open",
      text: `${what} on ${rest.toString()}, which nobody declared, and only the other side refuses it: ${openedBy(open, rest, subject, direction)}`,
      places: placesOf(open, rest),
    });
  };
  half("egress", egress, from);
  half("ingress", ingress, to);
  return violations;
}

function lack(connection: Connection, { from, to }: Parties, declared: Declared): Violation[] {
  const missing = {
    egress: declared.egress.minus(connection.egress.ports),
    ingress: declared.ingress.minus(connection.ingress.ports),
  };
  const ports = missing.egress.union(missing.ingress);
  if (ports.isEmpty) return [];
  const why = [
    ...(missing.egress.isEmpty ? [] : [closedBy(connection.egress, from, "egress")]),
    ...(missing.ingress.isEmpty ? [] : [closedBy(connection.ingress, to, "ingress")]),
  ];
  const text = `${from} can't reach ${to} on ${ports.toString()}, which is declared: ${why.join("; ")}`;
  return [{ kind: "refused", text, places: [] }];
}
