import type { ZoneName } from "../../../mesh/model.js";
import { ApiError } from "./kubernetes/api.js";
import type { PodStore } from "./kubernetes/pods.js";
import { assess, type Assessment, type Pod } from "./pod.js";
import { KnownRegistry } from "./registry/known.js";
import type { Registration } from "./registry/registration.js";

/** What every replica sees of one zone: its pods, and what they mean to the registry. */
export class ZoneView {
  constructor(
    readonly name: ZoneName,
    readonly pods: PodStore,
    /** Whether a node of the cluster is taken for dead. */
    protected readonly isDead: (node: string) => boolean,
    /** Another stack deploys the zone. */
    protected readonly elsewhere = false,
  ) {}

  /** Whether the stack that deploys the zone has not done so yet: it is what gives the right to see the zone's pods. */
  get isAwaited(): boolean {
    const { error, synced } = this.pods;
    return this.elsewhere && !synced && error instanceof ApiError && (error.status === 403 || error.status === 404);
  }

  /** What a pod means to the registry now: its own state, and whether its node still vouches for it. */
  assess(pod: Pod): Assessment {
    const assessment = assess(pod, this.name);
    return assessment.kind === "present" && pod.node !== undefined && this.isDead(pod.node)
      ? { kind: "absent", reason: `the lease of node ${pod.node} was not renewed in time` }
      : assessment;
  }

  /** Everything that should be registered, by pod. */
  desired(): Map<string, Registration> {
    const desired = new Map<string, Registration>();
    for (const pod of this.pods.all()) {
      const assessment = this.assess(pod);
      if (assessment.kind === "present") {
        desired.set(pod.name, assessment.registration);
      }
    }
    return desired;
  }

  /** Why pods that ask for a registration get none, by pod. */
  refusals(): Map<string, string> {
    const refused = new Map<string, string>();
    for (const pod of this.pods.all()) {
      const assessment = this.assess(pod);
      if (assessment.kind === "refused") {
        refused.set(pod.name, assessment.reason);
      }
    }
    return refused;
  }

  /** The same zone to one who begins to keep its part of the registry, and knows nothing of that yet. */
  kept(): ZoneState {
    return new ZoneState(this.name, this.pods, this.isDead, this.elsewhere);
  }
}

/** One zone as the leader keeps it: its part of the registry, and how the last comparison with the pods went. */
export class ZoneState extends ZoneView {
  readonly known = new KnownRegistry();
  /** The refusals that were told in the log. */
  readonly toldRefusals = new Map<string, string>();
  /** When the registry was last compared with the pods; milliseconds since 1970. */
  lastSync: number | undefined;
  /** What kept the last comparison from succeeding. */
  error: unknown;
  /** Comparisons that succeeded. */
  comparisons = 0;
  /** Whether all that was found at the start has been put right, or at least tried. */
  firstSyncDone = false;
}
