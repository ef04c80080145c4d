import type * as kubernetes from "@pulumi/kubernetes";
import { LABELS, PART_OF } from "../../mesh/wire";
import type { ZoneName } from "../../mesh";

type SecurityContext = kubernetes.types.input.core.v1.SecurityContext;
type PodSecurityContext = kubernetes.types.input.core.v1.PodSecurityContext;

/** User of application containers whose image does not bring its own. None of `SIDECAR_UIDS`. */
export const APPLICATION_UID = 65532;

/** What every container of the mesh runs under: the `restricted` profile of Pod Security, with a read-only root besides. */
export function restrictedContainer(uid: number): SecurityContext {
  return {
    runAsNonRoot: true,
    runAsUser: uid,
    runAsGroup: uid,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** Pod-level counterpart of `restrictedContainer`; ports below 1024 may be bound without a capability (a safe sysctl under `restricted`). */
export function restrictedPod(fsGroup?: number): PodSecurityContext {
  return {
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
    sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
    ...(fsGroup === undefined ? {} : { fsGroup, fsGroupChangePolicy: "OnRootMismatch" }),
  };
}

/**
 * Labels by which a workload's pods are selected; they never change for the life of the service.
 *
 * @param version of a service that has several side by side: each has a workload of its own. Default: all the service's pods.
 */
export function selectorLabels(name: string, version?: string): Record<string, string> {
  return {
    [LABELS.name]: name,
    [LABELS.partOf]: PART_OF,
    ...(version === undefined ? {} : { [LABELS.version]: version }),
  };
}

/** All labels of a workload and its pods. */
export function workloadLabels(name: string, zone: ZoneName, version: string): Record<string, string> {
  return { ...selectorLabels(name), [LABELS.zone]: zone, [LABELS.version]: version };
}

/** Labels of an object that is not a pod. */
export function objectLabels(name: string, zone: ZoneName): Record<string, string> {
  return { ...selectorLabels(name), [LABELS.zone]: zone };
}

/** Spreads the pods of a workload over nodes where there are several, and never keeps one from being scheduled. */
export function spreadOverNodes(
  selector: Readonly<Record<string, string>>,
): kubernetes.types.input.core.v1.TopologySpreadConstraint[] {
  return [
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: { ...selector } },
    },
  ];
}

/**
 * Annotation by which the pods of a workload that reads its roots only at its start (the discovery backend's) are exchanged, one after the other, when its zone's authorities
 * change. None while the zone has the first generations.
 */
export function restartOnRotation(generations: string | undefined): { readonly annotations?: Record<string, string> } {
  return generations === undefined ? {} : { annotations: { "lucid.internal/authorities": generations } };
}
