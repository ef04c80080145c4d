import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { SidecarResources } from "../../envoy";
import type { ZoneName } from "../../mesh";
import { sidecarUid } from "../../mesh/users";
import { COMPLETING_GRACE_SECONDS, DRAIN_SECONDS, GRACE_SECONDS } from "../../mesh/drain";
import {
  IDENTITY_TOKEN,
  LABELS,
  NODE_RESOLVER,
  SIDECAR_CONTAINER,
  SIDECAR_PATHS,
  SIDECAR_PORTS,
} from "../../mesh/wire";
import { restrictedContainer, workloadLabels } from "./pod";
import type { Container, PodTemplate } from "./pod-template";
import { describeConflicts, drainOf, SIDECAR_VOLUMES, START_GATE_CONTAINER } from "./sidecar-conflicts";

/** User of the start gate: the one its image brings. */
const START_GATE_UID = 1000;
const GATE_TIMEOUT_SECONDS = 60;

/** What of a service its pods' sidecars are made from: plain data without any secret. Its ConfigMaps and Secret are found by its name. */
export interface SidecarPod {
  readonly service: string;
  readonly zone: ZoneName;
  /** Value of the label `app.kubernetes.io/version`. */
  readonly version: string;
  /** Of `bootstrap.yaml`: the one file whose change needs a new pod. */
  readonly bootstrapDigest: string;
  readonly images: { readonly envoy: string; readonly startGate: string };
  /** Arguments of `envoy`. */
  readonly args: readonly string[];
  /** Of the sidecar's container, as `sidecarResources` computes them. */
  readonly resources: SidecarResources;
  readonly adminPort: number;
  /** ClusterIP of the node resolver. */
  readonly resolverAddress: string;
}

/** How a pod differs from one of a service that runs all the time. */
export interface AttachOptions {
  /** Which of the service's versions the pod is. Default: the service's own. */
  readonly version?: string;
  /**
   * The pod runs to completion (a Job's): nobody asks whether it is ready, and nothing keeps it from ending, and it is not registered as an instance that can be called. The sidecar ends when the application has.
   * Default false.
   */
  readonly completes?: boolean;
  /**
   * The service is outside the cluster, and the pod a way to it: it has started with its sidecar, and is ready while the service is well, which its sidecar knows.
   * Default false.
   */
  readonly external?: boolean;
  /** The sidecar is all that the pod does (a datacenter's gateway), which is ready while that is. Default false. */
  readonly alone?: boolean;
  /** Names of containers whose own `preStop` hook keeps them answering for `DRAIN_SECONDS` (15). Default: none. */
  readonly drainThemselves?: readonly string[];
}

/**
 * Gives a pod its sidecar: labels, the Envoy as first init container (a native sidecar), the start gate behind it, probes and drain of the
 * application's containers, and the sidecar as the pod's only resolver. Everything else of the template stays as it is.
 *
 * What is merged: labels and annotations are added; `preStop.sleep` becomes the longer of the container's own and `DRAIN_SECONDS`, every other part of
 * `lifecycle` is kept; `terminationGracePeriodSeconds` becomes the larger of the pod's own and `GRACE_SECONDS` (of one that
 * completes: `COMPLETING_GRACE_SECONDS`).
 *
 * @param template of a Deployment, StatefulSet, DaemonSet or Job; its first container is the application, whose health the pod's readiness follows
 * @throws RunError with everything in the template that the sidecar can't live with, each with its place and mend
 */
export function attachSidecar(template: PodTemplate, sidecar: SidecarPod, options: AttachOptions = {}): PodTemplate {
  const problem = describeConflicts(template, sidecar, options);
  if (problem !== undefined) throw new pulumi.RunError(problem);
  const { version = sidecar.version, completes = false, drainThemselves = [] } = options;
  const [application, ...others] = template.spec.containers;
  const drained = (container: Container): Container =>
    completes || drainThemselves.some((name) => name === container.name) ? container : withDrain(container);
  const { terminationGracePeriodSeconds: grace } = template.spec;
  const least = completes ? COMPLETING_GRACE_SECONDS : GRACE_SECONDS;
  return {
    metadata: {
      labels: {
        ...template.metadata?.labels,
        ...workloadLabels(sidecar.service, sidecar.zone, version),
        [LABELS.meshed]: "true",
        ...(completes ? { [LABELS.completes]: "true" } : {}),
      },
      annotations: { ...template.metadata?.annotations, "lucid.internal/bootstrap-digest": sidecar.bootstrapDigest },
    },
    spec: {
      ...template.spec,
      terminationGracePeriodSeconds: typeof grace === "number" ? Math.max(grace, least) : least,
      dnsPolicy: "None",
      dnsConfig: { nameservers: ["127.0.0.1"] },
      initContainers: [envoyContainer(sidecar), startGateContainer(sidecar), ...(template.spec.initContainers ?? [])],
      containers: [completes ? application : withProbes(drained(application), options), ...others.map(drained)],
      volumes: [...(template.spec.volumes ?? []), ...volumes(sidecar.service)],
    },
  };
}

function envoyContainer(sidecar: SidecarPod): Container {
  return {
    name: SIDECAR_CONTAINER,
    image: sidecar.images.envoy,
    restartPolicy: "Always",
    command: ["envoy"],
    args: [...sidecar.args],
    env: [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      { name: "ENVOY_ADMIN_PORT", value: String(sidecar.adminPort) },
    ],
    ports: [
      { name: "inbound", containerPort: SIDECAR_PORTS.inbound },
      { name: "health", containerPort: SIDECAR_PORTS.health },
      { name: "inspection", containerPort: SIDECAR_PORTS.inspection },
    ],
    startupProbe: {
      httpGet: { path: "/ready", port: SIDECAR_PORTS.health },
      periodSeconds: 1,
      timeoutSeconds: 1,
      failureThreshold: 120,
    },
    resources: sidecar.resources,
    securityContext: restrictedContainer(sidecarUid(sidecar.service)),
    volumeMounts: [
      { name: SIDECAR_VOLUMES.config, mountPath: SIDECAR_PATHS.config, readOnly: true },
      { name: SIDECAR_VOLUMES.certificate, mountPath: SIDECAR_PATHS.certificate, readOnly: true },
      { name: SIDECAR_VOLUMES.token, mountPath: SIDECAR_PATHS.token, readOnly: true },
      { name: SIDECAR_VOLUMES.run, mountPath: SIDECAR_PATHS.run },
    ],
  };
}

function startGateContainer(sidecar: SidecarPod): Container {
  return {
    name: START_GATE_CONTAINER,
    image: sidecar.images.startGate,
    env: [
      { name: "GATE_ADDRESS", value: sidecar.resolverAddress },
      { name: "GATE_OPEN_PORT", value: String(NODE_RESOLVER.dnsPort) },
      { name: "GATE_CANARY_PORT", value: String(NODE_RESOLVER.canaryPort) },
      { name: "GATE_TIMEOUT_SECONDS", value: String(GATE_TIMEOUT_SECONDS) },
    ],
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "96Mi" } },
    securityContext: restrictedContainer(START_GATE_UID),
  };
}

/**
 * Listeners and the roots they name are one volume, so that kubelet swaps both at once: the listener of a new peer zone that came before its trust file
 * would be rejected, and never tried again.
 */
function volumes(service: string): kubernetes.types.input.core.v1.Volume[] {
  return [
    {
      name: SIDECAR_VOLUMES.config,
      projected: {
        sources: [
          { configMap: { name: `${service}-envoy` } },
          { configMap: { name: `${service}-trust` } },
          // Last, so that the cluster's keys, once the controller has mirrored them, stand in place of the file that believes nobody.
          { configMap: { name: IDENTITY_TOKEN.keysConfigMap, optional: true } },
        ],
      },
    },
    { name: SIDECAR_VOLUMES.certificate, secret: { secretName: `${service}-tls` } },
    {
      name: SIDECAR_VOLUMES.token,
      projected: {
        sources: [
          {
            serviceAccountToken: {
              audience: IDENTITY_TOKEN.audience,
              expirationSeconds: IDENTITY_TOKEN.lifetimeSeconds,
              path: IDENTITY_TOKEN.file,
            },
          },
        ],
      },
    },
    { name: SIDECAR_VOLUMES.run, emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
  ];
}

/**
 * Readiness follows the application's health, asked through the sidecar: every 30 s with a 10 s timeout once it has started. What is outside is asked as often by
 * the sidecar's own checks, and each probe only learns what they found.
 */
function withProbes(
  container: Container,
  { external = false, alone = false }: Pick<AttachOptions, "external" | "alone">,
): Container {
  const ask = (path: string) => ({ path, port: SIDECAR_PORTS.health });
  const health = ask("/health");
  const ready = ask("/ready");
  const known = { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 1 };
  const readiness = external ? { httpGet: health, ...known } : alone ? { httpGet: ready, ...known } : undefined;
  return {
    ...container,
    startupProbe: {
      httpGet: readiness === undefined ? health : ready,
      periodSeconds: 1,
      timeoutSeconds: 10,
      failureThreshold: 180,
    },
    readinessProbe: readiness ?? { httpGet: health, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 2 },
  };
}

/**
 * Keeps an application answering until its callers have forgotten the pod; the sidecar, a native one, outlives it. The sidecar needs no hook of its own: it
 * is told to end when the last application container has ended, and draining its listeners before would only have callers connect anew to a pod that they
 * still know.
 */
function withDrain(container: Container): Container {
  const seconds = Math.max(drainOf(container) ?? 0, DRAIN_SECONDS);
  return { ...container, lifecycle: { ...container.lifecycle, preStop: { sleep: { seconds } } } };
}
