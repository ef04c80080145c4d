import type { LetIn } from "./canary/model.js";
import type { Elector } from "./election/elector.js";
import type { Failures } from "./failures.js";
import type { Leader } from "./leader.js";
import { describe } from "./log.js";
import type { Registration } from "./registry/registration.js";
import type { Registry } from "./registry/registry.js";
import type { Views } from "./views.js";
import type { ZoneState, ZoneView } from "./zone.js";

/** Parts whose state is reported. */
export interface Parts {
  readonly views: Views;
  readonly elector: Pick<Elector, "identity" | "leader" | "leading">;
  readonly failures: Failures;
  /** What this replica does as leader; undefined while it follows. */
  readonly leader: () => Leader | undefined;
  /** Milliseconds without a successful answer after which the registry counts as out of reach. */
  readonly registryPatience: number;
}

/**
 * Whether this replica does its part, and if not, why. One that follows knows whom, and sees all pods, so that it can take over at any time; one that leads has compared every zone
 * once and mirrored the token keys, and its registry answers. A zone that another stack has not deployed yet is not waited for.
 */
export function health(parts: Parts, now: number): { readonly healthy: boolean; readonly reasons: readonly string[] } {
  const leader = parts.leader();
  const reasons = leader === undefined ? unready(parts) : undone(leader, parts.registryPatience, now);
  return { healthy: reasons.length === 0, reasons };
}

function unready({ views, elector }: Parts): string[] {
  const reasons = views.zones
    .filter(({ pods, isAwaited }) => !pods.synced && !isAwaited)
    .map(({ pods: { namespace, error } }) => {
      const why = error === undefined ? "" : `: ${describe(error)}`;
      return `the pods of ${namespace} were never listed yet${why}`;
    });
  if (elector.leader === undefined || elector.leader === elector.identity) {
    reasons.push("no replica leads");
  }
  return reasons;
}

function undone({ zones, keys, registry }: Leader, patience: number, now: number): string[] {
  const reasons = zones
    .filter((zone) => !zone.firstSyncDone && !zone.isAwaited)
    .map((zone) => `zone ${zone.name} is not synced yet${zone.error === undefined ? "" : `: ${describe(zone.error)}`}`);
  const awaited = zones.filter(({ isAwaited }) => isAwaited).map(({ pods }) => pods.namespace);
  reasons.push(
    ...keys.missing
      .filter((namespace) => !awaited.includes(namespace))
      .map((namespace) => `the token keys of ${namespace} are not mirrored yet`),
  );
  const { title, lastSuccess } = registry;
  if (lastSuccess === undefined || now - lastSuccess > patience) {
    reasons.push(
      lastSuccess === undefined ? `${title} never answered yet` : `${title} does not answer since ${iso(lastSuccess)}`,
    );
  }
  return reasons;
}

/** The whole state as JSON: who leads, services with their instances, the zones' last sync, failures. Holds no secret. What only the leader knows is null elsewhere. */
export function status(parts: Parts, now: number): unknown {
  const { views, elector, failures } = parts;
  const leader = parts.leader();
  return {
    ...health(parts, now),
    identity: elector.identity,
    leading: elector.leading,
    leader: elector.leader ?? null,
    services: views.zones.flatMap((zone) => servicesOf(zone, leader)),
    zones: views.zones.map((view) => {
      const zone = leader?.zones.find(({ name }) => name === view.name);
      const { namespace, synced, error } = view.pods;
      return {
        name: view.name,
        namespace,
        awaited: view.isAwaited,
        podsSynced: synced,
        podsError: error === undefined ? null : describe(error),
        lastSync: zone?.lastSync === undefined ? null : iso(zone.lastSync),
        error: zone?.error === undefined ? null : describe(zone.error),
        refused: Object.fromEntries([...view.refusals()].sort()),
      };
    }),
    registry:
      leader === undefined
        ? null
        : {
            title: leader.registry.title,
            lastSuccess: leader.registry.lastSuccess === undefined ? null : iso(leader.registry.lastSuccess),
          },
    canary: leader === undefined ? null : canaryStatus(leader.canary),
    nodes: {
      error: views.leases.error === undefined ? null : describe(views.leases.error),
      dead: views.leases.dead(),
    },
    inspection: leader?.inspection.seen ?? null,
    backlog: leader?.controller.backlog ?? 0,
    failures: failures.list.map(({ time, ...rest }) => ({ time: iso(time), ...rest })),
  };
}

/** Pods that a list names. */
const NAMED = 20;

function canaryStatus({ counts, letIn, blind }: Leader["canary"]): unknown {
  const named = (found: readonly LetIn[]) =>
    found
      .slice(0, NAMED)
      .map(({ pod: { namespace, name, node }, layer, detail }) => ({ namespace, pod: name, node, layer, detail }));
  return { counts, letIn: named(letIn), blind: named(blind) };
}

interface InstanceStatus {
  readonly pod: string;
  readonly address: string;
  readonly version: string;
  readonly ready: boolean;
  /** Whether the registry is known to hold it so; null where this replica does not lead, and doesn't know. */
  readonly registered: boolean | null;
}

function servicesOf(
  view: ZoneView,
  leader: Leader | undefined,
): { name: string; zone: string; instances: InstanceStatus[] }[] {
  const services = new Map<string, InstanceStatus[]>();
  const zone = leader?.zones.find(({ name }) => name === view.name);
  for (const registration of view.desired().values()) {
    const { service, pod, address, version, ready } = registration;
    const instances = services.get(service) ?? [];
    const registered =
      leader === undefined || zone === undefined ? null : isRegistered(zone, leader.registry, registration);
    instances.push({ pod, address, version, ready, registered });
    services.set(service, instances);
  }
  return [...services]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, instances]) => ({ name, zone: view.name, instances }));
}

function isRegistered(zone: ZoneState, registry: Registry, registration: Registration): boolean {
  const { pod } = registration;
  return zone.known.loaded && registry.steps(zone.name, pod, registration, zone.known.get(pod)).length === 0;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

/** How many instances of a zone should be registered, by readiness: `passing` ones are resolved. */
export function instanceCounts(zone: ZoneView): { zone: ZoneView["name"]; status: string; count: number }[] {
  const all = [...zone.desired().values()];
  const passing = all.filter(({ ready }) => ready).length;
  return [
    { zone: zone.name, status: "passing", count: passing },
    { zone: zone.name, status: "critical", count: all.length - passing },
  ];
}

/** How many services are declared, by what their status says of their readiness. */
export function serviceCounts({ zones, services }: Views): { zone: ZoneView["name"]; ready: string; count: number }[] {
  return zones.flatMap(({ name: zone, pods }) => {
    const counts = new Map(["True", "False", "Unknown", ""].map((ready) => [ready, 0]));
    for (const { status } of services.find(({ namespace }) => namespace === pods.namespace)?.all() ?? []) {
      const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status ?? "";
      counts.set(ready, (counts.get(ready) ?? 0) + 1);
    }
    return [...counts].map(([ready, count]) => ({ zone, ready, count }));
  });
}

/** Instances of each service of which a status says something. Nobody expects any of a job or of a revoked service. */
export function serviceInstances({ zones, services }: Pick<Views, "zones" | "services">): {
  zone: ZoneView["name"];
  service: string;
  state: "declared" | "ready" | "registered";
  count: number;
}[] {
  return zones.flatMap(({ name: zone, pods }) =>
    [...(services.find(({ namespace }) => namespace === pods.namespace)?.all() ?? [])].flatMap(
      ({ name: service, workload, revoked, status }) => {
        const instances = status?.instances;
        if (instances === undefined || workload.kind === "job" || revoked !== undefined) {
          return [];
        }
        // Of a service that another stack brings, the number is how many there are at most.
        const declared = workload.kind === "joined" ? undefined : workload.replicas;
        return [
          ...(declared === undefined ? [] : [{ zone, service, state: "declared" as const, count: declared }]),
          { zone, service, state: "ready" as const, count: instances.ready },
          { zone, service, state: "registered" as const, count: instances.registered },
        ];
      },
    ),
  );
}

/** When certificates run out, as they were issued last, in seconds since 1970. */
export function certificateEnds(views: Views): { zone: ZoneView["name"]; service: string; end: number }[] {
  return instantsOf(views, (told, service) => told.certificateEnd(service)).map(({ seconds: end, ...of }) => ({
    ...of,
    end,
  }));
}

/** From when on issuers make certificates anew, in seconds since 1970: of those that they make. */
export function certificateRenewals(views: Views): { zone: ZoneView["name"]; service: string; renewal: number }[] {
  return instantsOf(views, (told, service) => told.certificateRenewal(service)).map(({ seconds: renewal, ...of }) => ({
    ...of,
    renewal,
  }));
}

/** An instant of each declared service of which it is told. */
function instantsOf(
  { zones, services, objects }: Views,
  instantOf: (told: Views["objects"][number], service: string) => string | undefined,
): { zone: ZoneView["name"]; service: string; seconds: number }[] {
  return zones.flatMap(({ name: zone, pods }) => {
    const isOfZone = ({ namespace }: { readonly namespace: string }): boolean => namespace === pods.namespace;
    const told = objects.find(isOfZone);
    return [...(services.find(isOfZone)?.all() ?? [])].flatMap(({ name: service }) => {
      const instant = told === undefined ? undefined : instantOf(told, service);
      return instant === undefined ? [] : [{ zone, service, seconds: Date.parse(instant) / 1000 }];
    });
  });
}

/** Milliseconds that an issuer is given for a certificate that is due: it looks at each every half minute. */
const OVERDUE = 600_000;

/** Services whose certificate should have been made anew by their zone's issuer, and was not. */
export function overdueCertificates(
  { zones, services, objects }: Views,
  now: number,
): { zone: ZoneView["name"]; count: number }[] {
  return zones.map(({ name: zone, pods }) => {
    const isOfZone = ({ namespace }: { readonly namespace: string }): boolean => namespace === pods.namespace;
    const told = objects.find(isOfZone);
    const overdue = [...(services.find(isOfZone)?.all() ?? [])].filter(({ name, revoked }) => {
      const renewal = told?.certificateRenewal(name);
      return revoked === undefined && renewal !== undefined && Date.parse(renewal) + OVERDUE < now;
    });
    return { zone, count: overdue.length };
  });
}
