import { AddressSet } from "../sets/address-set";
import { NAMESPACE_NAME } from "./model";
import type { Peer } from "./model";
import { Selector } from "./selector";

/** Addresses for which the same sources hold. */
export interface AddressRegion<T> {
  readonly addresses: AddressSet;
  readonly holding: readonly T[];
}

/** Splits all addresses into disjoint regions by the sources whose peers hold them; regions that none holds are left out. */
export function addressRegions<T>(sources: readonly T[], peerOf: (source: T) => Peer): readonly AddressRegion<T>[] {
  let regions: AddressRegion<T>[] = [{ addresses: AddressSet.all, holding: [] }];
  for (const source of sources) {
    const reached = addressesOf(peerOf(source));
    regions = regions.flatMap(({ addresses, holding }) =>
      [
        { addresses: addresses.intersect(reached), holding: [...holding, source] },
        { addresses: addresses.minus(reached), holding },
      ].filter((region) => !region.addresses.isEmpty),
    );
  }
  return regions.filter(({ holding }) => holding.length > 0);
}

function addressesOf(peer: Peer): AddressSet {
  switch (peer.kind) {
    case "everyone":
      return AddressSet.all;
    case "addresses":
      return peer.addresses;
    case "pods":
      return AddressSet.none;
  }
}

/** Selectors of pods in namespaces that aren't among the objects. */
export interface StrangerSelection {
  readonly namespaces: Selector;
  readonly pods: Selector;
}

export const EVERY_STRANGER: StrangerSelection = { namespaces: Selector.everything, pods: Selector.everything };

/** Which pods of unknown namespaces a peer selects; undefined where there can be none. */
export function strangersOf(peer: Peer, knownNamespaces: ReadonlySet<string>): StrangerSelection | undefined {
  if (peer.kind === "everyone") return EVERY_STRANGER;
  if (peer.kind === "addresses" || peer.namespaces === undefined) return undefined;
  const { namespaces, pods } = peer;
  const names = namespaces.valuesOf(NAMESPACE_NAME);
  const isPossible =
    namespaces.isSatisfiable &&
    pods.isSatisfiable &&
    // Every namespace bears its name as a label.
    !namespaces.requirements.some(({ key, operator }) => key === NAMESPACE_NAME && operator === "DoesNotExist") &&
    (names === undefined || names.some((name) => !knownNamespaces.has(name)));
  return isPossible ? { namespaces, pods } : undefined;
}
