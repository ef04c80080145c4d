/** Circles in a graph of calls. */

/** One way from a service to another. */
export interface Arc {
  readonly from: string;
  readonly to: string;
}

/**
 * The strongly connected components of a graph (each a circle of calls, or a single service), callers before their callees.
 * Tarjan's algorithm without recursion, so that a chain of a thousand services needs no deep stack; linear in services and arcs.
 *
 * @see https://doi.org/10.1137/0201010
 */
export function components(nodes: Iterable<string>, arcsFrom: (node: string) => readonly Arc[]): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found: string[][] = [];
  const enter = (node: string) => {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    open.push(node);
    isOpen.add(node);
    return { node, arcs: arcsFrom(node), next: 0 };
  };
  const lower = (node: string, value: number | undefined) => {
    low.set(node, Math.min(low.get(node) ?? Infinity, value ?? Infinity));
  };
  for (const root of nodes) {
    if (index.has(root)) continue;
    const stack = [enter(root)];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const arc = frame.arcs[frame.next++];
      if (arc !== undefined) {
        if (!index.has(arc.to)) stack.push(enter(arc.to));
        else if (isOpen.has(arc.to)) lower(frame.node, index.get(arc.to));
        continue;
      }
      stack.pop();
      const caller = stack.at(-1);
      if (caller !== undefined) lower(caller.node, low.get(frame.node));
      if (low.get(frame.node) === index.get(frame.node)) found.push(closed(frame.node, open, isOpen));
    }
  }
  return found.reverse();
}

/** Takes a finished component off the open services. */
function closed(root: string, open: string[], isOpen: Set<string>): string[] {
  const members = open.splice(open.lastIndexOf(root));
  for (const member of members) isOpen.delete(member);
  return members;
}
