import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { APPLICATION_UID, restrictedContainer, restrictedPod } from "./pod";
import type { Container, PodTemplate } from "./pod-template";

type PodContext = kubernetes.types.input.core.v1.PodSecurityContext;
type Sysctl = kubernetes.types.input.core.v1.Sysctl;
type ContainerContext = kubernetes.types.input.core.v1.SecurityContext;

/**
 * A template whose security contexts say everything that the mesh's pods run under, where it doesn't say it itself: the `restricted` profile, a read-only
 * root, a user. A context that is known only when the program runs stays as it is; what weakens it is refused by the policy pack, and at admission.
 */
export function restricted(template: PodTemplate): PodTemplate {
  const { spec } = template;
  if (isLater(spec.securityContext)) return template;
  const own = (spec.securityContext ?? {}) as PodContext;
  const [application, ...others] = spec.containers;
  const contained = (container: Container) => withContext(container, own.runAsUser !== undefined);
  return {
    ...template,
    spec: {
      ...spec,
      securityContext: { ...restrictedPod(), ...own, sysctls: sysctlsOf(own) },
      containers: [contained(application), ...others.map(contained)],
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(contained) }),
    },
  };
}

/** The mesh's own among them: without it the sidecar could not listen where applications dial. */
function sysctlsOf({ sysctls }: PodContext): PodContext["sysctls"] {
  const needed = restrictedPod().sysctls as Sysctl[];
  if (sysctls === undefined) return needed;
  return Array.isArray(sysctls) ? [...needed, ...(sysctls as Sysctl[])] : sysctls;
}

function withContext(container: Container, podHasUser: boolean): Container {
  if (isLater(container.securityContext)) return container;
  const own = (container.securityContext ?? {}) as ContainerContext;
  const { runAsUser, runAsGroup, ...defaults } = restrictedContainer(APPLICATION_UID);
  const user = podHasUser || own.runAsUser !== undefined ? {} : { runAsUser, runAsGroup };
  return { ...container, securityContext: { ...defaults, ...user, ...own } };
}

/** Whether a context's structure is known only when the program runs. */
function isLater(context: unknown): boolean {
  return pulumi.Output.isInstance(context) || context instanceof Promise;
}
