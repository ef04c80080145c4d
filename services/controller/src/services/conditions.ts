/** What is said of a service. Pure: no clock, no network. */
import type { Condition, MeshServiceStatus } from "../../../../mesh/custom-resource/index.js";
import type { Registration } from "../registry/registration.js";
import type { DeclaredService } from "./resource.js";

/** What there is of a service. */
export interface ServiceFacts {
  /** Its instances, as they should be registered. */
  readonly instances: readonly Registration[];
  /** Why pods that bear its name are none of its instances, by pod. */
  readonly refused: ReadonlyMap<string, string>;
  /** Whether the registry holds a ready instance as it should be; undefined where the registry can't be read. */
  readonly isRegistered: ((instance: Registration) => boolean) | undefined;
  /** Pods that were not told of what their sidecars are to read now; undefined before that was listed. */
  readonly untold: readonly string[] | undefined;
  /** When the certificate that was issued last runs out. */
  readonly certificateEnd: string | undefined;
  /** From when on an issuer makes it anew; undefined where none does. */
  readonly certificateRenewal: string | undefined;
  /** What of it, or of its zone, is not as it was declared, a line each; `unseen` where not all could be looked at, undefined where nothing is declared. */
  readonly drift: readonly string[] | "unseen" | undefined;
}

/** A condition without the times that the one before it decides. */
type Finding = Pick<Condition, "type" | "status" | "reason" | "message">;

/** Pods that a message names. */
const NAMED = 5;

/**
 * The status of a service.
 *
 * @param now instant (RFC 3339) at which a condition that turns has turned; one that stays keeps its own
 */
export function statusOf(service: DeclaredService, facts: ServiceFacts, now: string): MeshServiceStatus {
  const { generation: observedGeneration, status: before } = service;
  const ready = facts.instances.filter((instance) => instance.ready);
  const { isRegistered } = facts;
  const registered = isRegistered === undefined ? undefined : ready.filter(isRegistered).length;
  const findings = [
    readiness(service, facts.instances.length, ready.length),
    registration(service, facts, ready),
    distribution(facts),
    drift(facts),
  ];
  return {
    observedGeneration,
    instances: {
      present: facts.instances.length,
      ready: ready.length,
      registered: registered ?? before?.instances?.registered ?? 0,
    },
    ...certificateOf(facts),
    conditions: findings.map(({ type, status, reason, message }) => {
      const last = before?.conditions?.find((condition) => condition.type === type);
      const lastTransitionTime = last?.status === status ? last.lastTransitionTime : now;
      return { type, status, observedGeneration, lastTransitionTime, reason, message };
    }),
  };
}

function certificateOf({ certificateEnd, certificateRenewal }: ServiceFacts): Pick<MeshServiceStatus, "certificate"> {
  if (certificateEnd === undefined) {
    return {};
  }
  const renewal = certificateRenewal === undefined ? {} : { renewal: certificateRenewal };
  return { certificate: { notAfter: certificateEnd, ...renewal } };
}

/** Whether two statuses say the same. */
export function saysTheSame(one: MeshServiceStatus, other: MeshServiceStatus | undefined): boolean {
  return other !== undefined && canonical(one) === canonical(other);
}

function readiness({ workload, revoked }: DeclaredService, present: number, ready: number): Finding {
  const type = "Ready";
  if (revoked !== undefined) {
    return { type, status: "False", reason: "Revoked", message: `the service is revoked: ${revoked}` };
  }
  if (workload.kind === "job") {
    return { type, status: "Unknown", reason: "RunsToCompletion", message: "it ends by itself, and nobody calls it" };
  }
  // Of a joined service the declared number is the most there may be.
  const wanted = workload.kind === "joined" ? Math.max(present, 1) : (workload.replicas ?? 1);
  const message = `${String(ready)} of ${String(wanted)} instances are ready`;
  if (ready >= wanted) {
    return { type, status: "True", reason: "InstancesReady", message };
  }
  return { type, status: "False", reason: ready === 0 ? "NoInstances" : "InstancesMissing", message };
}

function registration(
  { workload, revoked }: DeclaredService,
  { refused, isRegistered }: ServiceFacts,
  ready: readonly Registration[],
): Finding {
  const type = "Registered";
  if (refused.size > 0) {
    const reasons = [...refused].sort().map(([pod, reason]) => `${pod}: ${reason}`);
    return { type, status: "False", reason: "PodsRefused", message: `pods are refused: ${listed(reasons, "; ")}` };
  }
  if (revoked !== undefined) {
    return { type, status: "False", reason: "Revoked", message: "the service is revoked, and nobody finds it" };
  }
  if (workload.kind === "job") {
    return { type, status: "Unknown", reason: "RunsToCompletion", message: "nobody calls it, so it is not registered" };
  }
  if (isRegistered === undefined) {
    return { type, status: "Unknown", reason: "RegistryUnreadable", message: "the discovery backend can't be read" };
  }
  const missing = ready.filter((instance) => !isRegistered(instance)).map(({ pod }) => pod);
  if (missing.length > 0) {
    return {
      type,
      status: "False",
      reason: "NotRegistered",
      message: `callers don't find ${listed(missing.sort(), ", ")}`,
    };
  }
  return { type, status: "True", reason: "InstancesRegistered", message: "callers find every instance that is ready" };
}

function distribution({ untold }: ServiceFacts): Finding {
  const type = "Distributed";
  if (untold === undefined) {
    return { type, status: "Unknown", reason: "NotListed", message: "what its sidecars read was never listed yet" };
  }
  if (untold.length > 0) {
    return {
      type,
      status: "False",
      reason: "PodsNotTold",
      message: `not yet told of changed files: ${listed([...untold].sort(), ", ")}`,
    };
  }
  return { type, status: "True", reason: "PodsTold", message: "every sidecar was told of its present files" };
}

function drift({ drift: found }: ServiceFacts): Finding {
  const type = "Drifted";
  if (found === undefined) {
    return { type, status: "Unknown", reason: "NotCompared", message: "nothing is declared yet to compare it with" };
  }
  if (found === "unseen") {
    return { type, status: "Unknown", reason: "NotSeen", message: "not all of it could be looked at yet" };
  }
  if (found.length > 0) {
    return { type, status: "True", reason: "NotAsDeclared", message: listed([...found].sort(), "; ") };
  }
  return { type, status: "False", reason: "AsDeclared", message: "everything of it is as it was declared" };
}

function listed(items: readonly string[], separator: string): string {
  const more = items.length - NAMED;
  return items.slice(0, NAMED).join(separator) + (more > 0 ? `${separator}and ${String(more)} more` : "");
}

/** JSON with its keys in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([one], [other]) => (one < other ? -1 : 1)))
      : field,
  );
}
