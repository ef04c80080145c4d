import { serviceOf, zoneOf } from "./envoy";
import type { Sidecar, WayOutside } from "./envoy";
import type { LayerViolation, Place } from "./layer";
import { AddressSet, PortSet, Reachability as Connections } from "./network";
import type { AddressReach } from "./network";
import { partyName, partyOf } from "./party";

const MEND = "open it in both layers or in none, by declaring the service outside or taking it out";

/** A way out of the cluster is open in both layers or in none: what a sidecar goes to, its pods are let out to, and nothing besides. */
export function outsideDisagreements(connections: Connections, { party, outside }: Sidecar): LayerViolation[] {
  const name = partyName(zoneOf(party), serviceOf(party));
  // What a pod whose sidecar leads nowhere may reach (the API server's) is asked by its application.
  if (outside.length === 0) return [];
  return connections.workloads
    .filter((workload) => partyOf(workload) === name)
    .flatMap((workload) => {
      const reach = connections.addresses(workload, "egress");
      const policies = connections
        .policiesOf(workload, "egress")
        .map(({ title }): Place => ({ object: title, path: "" }));
      return [
        ...outside.flatMap((way) => closed(name, way, reach, policies)),
        ...reach.flatMap((open) => unused(name, open, outside)),
      ];
    });
}

function closed(
  name: string,
  { addresses, port, place }: WayOutside,
  reach: readonly AddressReach[],
  policies: readonly Place[],
): LayerViolation[] {
  const isOpen = (address: string) =>
    reach.some((region) => region.addresses.has(address) && region.ports.has("TCP", port));
  return addresses
    .filter((address) => !isOpen(address))
    .map((address) => ({
      layer: "agreement",
      problem: `the layers don't agree on ${name} and ${address} on ${port}/TCP: its sidecar goes there (${place.object}, ${place.path}), and its pods aren't let out (${policies.map(({ object }) => object).join(", ")})`,
      mend: MEND,
      places: [place, ...policies],
    }));
}

function unused(name: string, open: AddressReach, outside: readonly WayOutside[]): LayerViolation[] {
  const used = (port: number) =>
    AddressSet.union(
      outside
        .filter((way) => way.port === port)
        .flatMap(({ addresses }) => addresses.map((address) => AddressSet.parse(`${address}/32`) ?? AddressSet.none)),
    );
  const ports = [...new Set(outside.map(({ port }) => port))].filter((port) => open.ports.has("TCP", port));
  const places = open.grants.map(({ policy, opening }): Place => ({ object: policy.title, path: opening.path }));
  const told = (addresses: AddressSet, what: PortSet): LayerViolation => ({
    layer: "agreement",
    problem: `the layers don't agree on ${name} and ${addresses.toString()} on ${what.toString()}: its pods are let out (${places.map(({ object, path }) => `${object}, ${path}`).join(", ")}), and its sidecar doesn't go there`,
    mend: MEND,
    places,
  });
  const others = open.ports.minus(PortSet.tcp(...ports));
  return [
    ...(others.isEmpty ? [] : [told(open.addresses, others)]),
    ...ports.flatMap((port) => {
      const rest = open.addresses.minus(used(port));
      return rest.isEmpty ? [] : [told(rest, PortSet.tcp(port))];
    }),
  ];
}
