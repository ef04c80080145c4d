import type { Reachable } from "../connection";
import { apiVersionOf, type KubeObject, kindOf, nameOf, namespaceOf, objectsAt, textAt } from "../objects";
import {
  awaitsEndpoints,
  claimVerdict,
  ENDPOINTS_SETTLE,
  quotaVerdict,
  secretVerdict,
  serviceVerdict,
  volumeVerdict,
} from "./others";
import { get, list, listSelected } from "./related";
import type { Verdict } from "./verdict";
import { daemonSetVerdict, deploymentVerdict, jobVerdict, podVerdict, statefulSetVerdict } from "./workloads";

/** Judges an object's readiness as it is now; fetches what it needs besides the object. */
export type Evaluate = (live: KubeObject) => Promise<Verdict> | Verdict;

/** What an evaluation may depend on besides the cluster. */
export interface EvaluationOptions {
  /** Whether the object was there before the change. */
  readonly isUpdate: boolean;
  /** Whether to take endpoints for settled at once: a refresh looks, and does not wait. */
  readonly settled: boolean;
}

interface Kind {
  /** Seconds to wait where the program doesn't say. */
  readonly timeout: number;
  evaluator(cluster: Reachable, options: EvaluationOptions): Evaluate;
}

const TEN_MINUTES = 600;

/** Kinds that are waited for, by `apiVersion/kind`. All others are ready as soon as the API server has them. */
const KINDS: Readonly<Record<string, Kind>> = {
  "apps/v1/Deployment": {
    timeout: TEN_MINUTES,
    evaluator: (cluster) => async (live) => {
      const replicaSets = await listSelected(cluster, live, "/apis/apps/v1", "replicasets");
      const mountsClaims = objectsAt(live, "spec", "template", "spec", "volumes").some(
        (volume) => textAt(volume, "persistentVolumeClaim", "claimName") !== "",
      );
      const claims = mountsClaims ? await list(cluster, "/api/v1", "persistentvolumeclaims", namespaceOf(live)) : [];
      return deploymentVerdict(live, { replicaSets, claims });
    },
  },
  "apps/v1/StatefulSet": { timeout: TEN_MINUTES, evaluator: () => statefulSetVerdict },
  "apps/v1/DaemonSet": { timeout: TEN_MINUTES, evaluator: () => daemonSetVerdict },
  "batch/v1/Job": { timeout: TEN_MINUTES, evaluator: () => jobVerdict },
  "v1/Pod": { timeout: TEN_MINUTES, evaluator: () => podVerdict },
  "v1/Service": { timeout: TEN_MINUTES, evaluator: serviceEvaluator },
  "v1/PersistentVolumeClaim": { timeout: 300, evaluator: claimEvaluator },
  "v1/PersistentVolume": { timeout: 300, evaluator: () => volumeVerdict },
  "v1/ResourceQuota": { timeout: 60, evaluator: () => quotaVerdict },
  "v1/Secret": { timeout: 5, evaluator: () => secretVerdict },
};

/** How to wait for an object of this kind; `undefined` where there is nothing to wait for. */
export function kindToAwait(object: KubeObject): Kind | undefined {
  return KINDS[`${apiVersionOf(object)}/${kindOf(object)}`];
}

function serviceEvaluator(cluster: Reachable, { settled }: EvaluationOptions): Evaluate {
  let version: string | undefined;
  let since = Date.now();
  return async (live) => {
    const endpoints = awaitsEndpoints(live)
      ? await get(cluster, "/api/v1", "endpoints", namespaceOf(live), nameOf(live))
      : undefined;
    const seen = textAt(endpoints, "metadata", "resourceVersion");
    if (seen !== version) {
      version = seen;
      since = Date.now();
    }
    return serviceVerdict(live, { endpoints, settledFor: settled ? ENDPOINTS_SETTLE : Date.now() - since });
  };
}

function claimEvaluator(cluster: Reachable, { isUpdate }: EvaluationOptions): Evaluate {
  let bindingMode: string | undefined;
  return async (live) => {
    const storageClass = textAt(live, "spec", "storageClassName");
    if (bindingMode === undefined && storageClass !== "") {
      const found = await get(cluster, "/apis/storage.k8s.io/v1", "storageclasses", undefined, storageClass);
      bindingMode = textAt(found, "volumeBindingMode");
    }
    return claimVerdict(live, bindingMode ?? "", isUpdate);
  };
}
