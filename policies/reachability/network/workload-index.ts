import type { Namespace, Peer, Workload } from "./model";
import type { Selector } from "./selector";

/** Finds the workloads that peers select. Policies repeat each other's selectors, so answers are kept. */
export class WorkloadIndex {
  private readonly byNamespace: ReadonlyMap<string, readonly Workload[]>;
  private readonly selected = new Map<string, readonly Workload[]>();

  constructor(
    private readonly workloads: readonly Workload[],
    private readonly namespaces: readonly Namespace[],
  ) {
    this.byNamespace = grouped(workloads, ({ namespace }) => namespace.name);
  }

  /** @param own namespace of the policy that has the peer */
  select(peer: Peer, own: string): readonly Workload[] {
    switch (peer.kind) {
      case "everyone":
        return this.workloads;
      case "addresses":
        return [];
      case "pods":
        return this.matching(peer.namespaces ?? own, peer.pods);
    }
  }

  private matching(namespaces: Selector | string, pods: Selector): readonly Workload[] {
    const isOne = typeof namespaces === "string";
    const key = JSON.stringify([isOne ? namespaces : [namespaces.key], pods.key]);
    let found = this.selected.get(key);
    if (found === undefined) {
      const names = isOne
        ? [namespaces]
        : this.namespaces.filter(({ labels }) => namespaces.matches(labels)).map(({ name }) => name);
      found = names.flatMap((name) => this.byNamespace.get(name) ?? []).filter(({ labels }) => pods.matches(labels));
      this.selected.set(key, found);
    }
    return found;
  }
}

/** Items by a key, in their order. */
export function grouped<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
