import type { ZoneName } from "../../../mesh/model.js";
import { KnownCatalogue } from "./known.js";
import type { PodStore } from "./kubernetes/pods.js";
import { assess, type Assessment, type Pod } from "./pod.js";
import { nodeName, type Registration } from "./registration.js";

/** One zone's state: its pods, its part of the catalogue, and how the last comparison of the two went. */
export class ZoneState {
  readonly known = new KnownCatalogue();
  /** Why pods that ask for a registration get none, by pod name. */
  readonly refusals = new Map<string, string>();
  /** When the catalogue was last compared with the pods; milliseconds since 1970. */
  lastSync: number | undefined;
  /** What kept the last comparison from succeeding. */
  error: unknown;
  /** Comparisons that succeeded. */
  comparisons = 0;
  /** Whether all that was found at the start has been put right, or at least tried. */
  firstSyncDone = false;

  constructor(
    readonly name: ZoneName,
    readonly pods: PodStore,
    /** Whether a node of the cluster is taken for dead. */
    private readonly isDead: (node: string) => boolean,
  ) {}

  /** What a pod means to the catalogue now: its own state, and whether its node still vouches for it. */
  assess(pod: Pod): Assessment {
    const assessment = assess(pod, this.name);
    return assessment.kind === "present" && pod.node !== undefined && this.isDead(pod.node)
      ? { kind: "absent", reason: `the lease of node ${pod.node} was not renewed in time` }
      : assessment;
  }

  /** Everything that should be registered, by node name in the catalogue. */
  desired(): Map<string, Registration> {
    const desired = new Map<string, Registration>();
    for (const pod of this.pods.all()) {
      const assessment = this.assess(pod);
      if (assessment.kind === "present") {
        desired.set(nodeName(this.name, pod.name), assessment.registration);
      }
    }
    return desired;
  }
}
