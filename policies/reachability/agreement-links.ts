import { disagreement, envoyFiles, NetworkOpinions } from "./agreement-opinions";
import type { Opinion } from "./agreement-opinions";
import { isElsewhere, serviceOf } from "./envoy";
import type { Sidecar } from "./envoy";
import type { LayerViolation, Place } from "./layer";

/** What a gateway listens on for calls that leave, and a callee for those that it passes on. */
const DEPARTURE = 15443;
const CALLS = 15001;

/**
 * The way of calls between datacenters is open in all layers or in none: whose calls leave may connect to the gateway, and nobody else; whom the gateway passes calls on to, it may
 * connect to, and he takes callers from elsewhere.
 */
export function linkDisagreements(network: NetworkOpinions, sidecars: readonly Sidecar[]): LayerViolation[] {
  const present = sidecars.filter(({ party }) => network.has(party));
  return present
    .filter(({ passages, arrivals }) => passages.length + arrivals.length > 0)
    .flatMap((gateway) =>
      present
        .filter((other) => other !== gateway)
        .flatMap((other) => [...departing(network, other, gateway), ...arriving(network, gateway, other)]),
    );
}

function departing(network: NetworkOpinions, caller: Sidecar, gateway: Sidecar): LayerViolation[] {
  const leaving = caller.callees.filter(({ dialled }) => dialled === DEPARTURE);
  const names = new Set(gateway.passages.flatMap(({ serverNames }) => serverNames));
  const where = `the way to other datacenters (${String(DEPARTURE)}/TCP)`;
  return disagreement(caller.party, gateway.party, where, [
    network.opinion(caller.party, gateway.party, DEPARTURE),
    ways(
      leaving.map(({ place }) => place),
      caller,
    ),
    {
      ...ways(
        gateway.passages.map(({ place }) => place),
        gateway,
      ),
      isOpen: leaving.length > 0 && leaving.every(({ serverName }) => names.has(serverName)),
      isOfEdge: false,
    },
  ]);
}

function arriving(network: NetworkOpinions, gateway: Sidecar, callee: Sidecar): LayerViolation[] {
  // With arrivals of nobody the gateway is a sidecar like others, of which this is told already.
  if (gateway.arrivals.length === 0) return [];
  const passed = gateway.arrivals.filter(
    ({ lookedUp, dialled }) =>
      dialled === CALLS && lookedUp.some((name) => name.startsWith(`${serviceOf(callee.party)}.service.`)),
  );
  const taken = callee.entries.filter(
    ({ listens, certificates }) => listens === CALLS && certificates.some(isElsewhere),
  );
  const isCalled = callee.entries.some(
    ({ listens, certificates }) => listens === CALLS && certificates.includes(gateway.party),
  );
  if (isCalled) return [];
  return disagreement(gateway.party, callee.party, `calls from other datacenters (${String(CALLS)}/TCP)`, [
    network.opinion(gateway.party, callee.party, CALLS),
    ways(
      passed.map(({ place }) => place),
      gateway,
    ),
    {
      ...ways(
        taken.map(({ place }) => place),
        callee,
      ),
      layer: "authorization",
    },
  ]);
}

/** What sidecars open, by what does; where nothing does, the files say so. */
function ways(places: readonly Place[], sidecar: Sidecar): Opinion {
  const isOpen = places.length > 0;
  return { layer: "ways", isOpen, isOfEdge: true, places: isOpen ? places : [envoyFiles(sidecar)] };
}
