import type * as kubernetes from "@pulumi/kubernetes";

export interface Container extends Omit<kubernetes.types.input.core.v1.Container, "lifecycle"> {
  readonly lifecycle?: kubernetes.types.input.core.v1.Lifecycle;
}

export type Volume = kubernetes.types.input.core.v1.Volume;

/**
 * A pod template whose structure is plain data: which containers and volumes there are is known at preview, and only leaf values (an image, a
 * digest) may be Pulumi outputs. What a sidecar is attached to.
 */
export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}

export interface PodSpec extends Omit<
  kubernetes.types.input.core.v1.PodSpec,
  "containers" | "initContainers" | "volumes"
> {
  /** At least one; the first is the application. */
  readonly containers: readonly [Container, ...Container[]];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
}

/** One version of a service: a workload of its own, whose pods bear the version's name as label `app.kubernetes.io/version`. */
export interface VersionPod {
  readonly name: string;
  /** Name of its Deployment. */
  readonly workload: string;
  readonly replicas: number;
  readonly pod: PodTemplate;
}

/** The template in the shape that the Kubernetes SDK takes. */
export function toTemplateSpec(template: PodTemplate): kubernetes.types.input.core.v1.PodTemplateSpec {
  const { containers, initContainers, volumes, ...spec } = template.spec;
  return {
    metadata: { labels: { ...template.metadata?.labels }, annotations: { ...template.metadata?.annotations } },
    spec: {
      ...spec,
      containers: [...containers],
      ...(initContainers === undefined ? {} : { initContainers: [...initContainers] }),
      ...(volumes === undefined ? {} : { volumes: [...volumes] }),
    },
  };
}
