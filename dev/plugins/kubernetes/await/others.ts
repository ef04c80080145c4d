import { sameValue } from "../../protocol/values";
import { at, type KubeObject, listAt, objectAt, objectsAt, textAt } from "../objects";
import { readyUnless, READY, type Verdict, waiting } from "./verdict";

/** Milliseconds for which a Service's endpoints must stay as they are: its pods come one after the other. */
export const ENDPOINTS_SETTLE = 10_000;

/** What a Service's readiness depends on besides itself. */
export interface ServiceSurroundings {
  /** The Endpoints object of its name; `undefined` before there is one. */
  readonly endpoints: KubeObject | undefined;
  /** Milliseconds for which that object has not changed. */
  readonly settledFor: number;
}

/** Whether a Service has endpoints to wait for: an ExternalName, a headless one and one without selector have not. */
export function awaitsEndpoints(service: KubeObject): boolean {
  return (
    textAt(service, "spec", "type") !== "ExternalName" &&
    textAt(service, "spec", "clusterIP") !== "None" &&
    Object.keys(objectAt(service, "spec", "selector")).length > 0
  );
}

/**
 * A Service is ready when its endpoints have settled and none of them is unready (that there are some is not asked for), and one of type
 * LoadBalancer has its address.
 */
export function serviceVerdict(service: KubeObject, { endpoints, settledFor }: ServiceSurroundings): Verdict {
  const missing: string[] = [];
  if (
    textAt(service, "spec", "type") === "LoadBalancer" &&
    listAt(service, "status", "loadBalancer", "ingress").length === 0
  ) {
    missing.push("Service was not allocated an IP address; does your cloud provider support this?");
  }
  if (awaitsEndpoints(service)) {
    if (objectsAt(endpoints, "subsets").some((subset) => listAt(subset, "notReadyAddresses").length > 0)) {
      missing.push("Pods that the Service selects are not ready");
    } else if (endpoints === undefined || settledFor < ENDPOINTS_SETTLE) {
      missing.push("the Service's endpoints have not settled yet");
    }
  }
  return readyUnless(missing);
}

/**
 * A claim is ready when it is bound; where its storage class waits for the first consumer, pending is all it can be.
 *
 * @param bindingMode of its storage class; "" where that isn't known
 * @param isUpdate whether the claim was there before
 */
export function claimVerdict(claim: KubeObject, bindingMode: string, isUpdate: boolean): Verdict {
  const phase = textAt(claim, "status", "phase");
  const isReady =
    bindingMode === "WaitForFirstConsumer" ? phase === "Pending" || (isUpdate && phase === "Bound") : phase === "Bound";
  return isReady ? READY : waiting(`the PersistentVolumeClaim is ${phase || "not seen by its controller yet"}`);
}

/** A volume is ready when it is available or bound. */
export function volumeVerdict(volume: KubeObject): Verdict {
  const phase = textAt(volume, "status", "phase");
  return phase === "Available" || phase === "Bound" ? READY : waiting(`the PersistentVolume is ${phase || "new"}`);
}

/** A quota is ready when its controller has taken its limits over. */
export function quotaVerdict(quota: KubeObject): Verdict {
  const taken = sameValue(at(quota, "spec", "hard"), at(quota, "status", "hard"));
  return taken ? READY : waiting("the ResourceQuota's limits are not in force yet");
}

/** A service account's token Secret is ready when its controller has filled it; any other Secret is at once. */
export function secretVerdict(secret: KubeObject): Verdict {
  const isToken = secret.type === "kubernetes.io/service-account-token";
  return isToken && Object.keys(objectAt(secret, "data")).length === 0
    ? waiting("the token has not been put into the Secret yet")
    : READY;
}
