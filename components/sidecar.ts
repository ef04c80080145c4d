import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { EnvoyOptions } from "../envoy";
import { renderSidecar, renderTrust, sidecarCommand } from "../envoy";
import type { Mesh, Service, ZoneName } from "../mesh";
import { peerZones } from "../mesh";
import { LABELS, NODE_RESOLVER, SIDECAR_PATHS, SIDECAR_PORTS, SIDECAR_UID } from "../mesh/wire";
import type { CertificateAuthority } from "./certificate-authority";
import { objectLabels, restrictedContainer, workloadLabels } from "./pod";
import type { Container, PodTemplate } from "./pod-template";
import { IMAGES } from "./versions";

/** User of the start gate: the one its image brings. */
const START_GATE_UID = 1000;
/** How long an application goes on answering after its pod left discovery, in seconds. */
const DRAIN_SECONDS = 5;
const GATE_TIMEOUT_SECONDS = 60;

export interface SidecarArgs {
  readonly mesh: Mesh;
  readonly service: Service;
  readonly envoy: EnvoyOptions;
  /** Authority of the service's own zone: it signs the leaf. */
  readonly authority: CertificateAuthority;
  /** Roots of every zone, as PEM; the sidecar is given those of its peers alone. */
  readonly roots: Readonly<Record<ZoneName, pulumi.Input<string>>>;
  readonly certValidityDays: number;
  /** Image of the start gate. */
  readonly startGateImage: string;
}

/**
 * A service's sidecar: its Envoy configuration, its certificate and the roots of its peers' zones; and what has to be added to a pod for it
 * (`attachTo`). The three objects are read live, so that a change of them rolls no pod; only a changed bootstrap does.
 */
export class Sidecar extends pulumi.ComponentResource {
  private readonly args: SidecarArgs;
  private readonly bootstrapDigest: string;

  constructor(name: string, args: SidecarArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:Sidecar", name, { service: args.service.name }, opts);
    this.args = args;
    const child = { parent: this };
    const { service } = args;
    const labels = objectLabels(service.name, service.zone);
    const object = (suffix: string) => ({ name: `${service.name}-${suffix}`, namespace: service.namespace, labels });

    const files = renderSidecar(args.mesh, service, args.envoy);
    this.bootstrapDigest = digest(files["bootstrap.yaml"]);
    const trust: Record<string, pulumi.Output<string>> = {};
    for (const zone of peerZones(args.mesh, service)) {
      trust[`${zone}.yaml`] = pulumi.output(args.roots[zone]).apply((pem) => renderTrust(zone, pem));
    }
    const roots = new kubernetes.core.v1.ConfigMap(`${name}-trust`, { metadata: object("trust"), data: trust }, child);
    new kubernetes.core.v1.ConfigMap(
      `${name}-envoy`,
      { metadata: object("envoy"), data: { ...files } },
      // Written after the roots: kubelet may read both between the two writes.
      { ...child, dependsOn: roots },
    );

    const leaf = args.authority.issue(
      name,
      { commonName: service.hostname, uri: service.identity, validityDays: args.certValidityDays },
      this,
    );
    new kubernetes.core.v1.Secret(
      `${name}-tls`,
      {
        metadata: object("tls"),
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": leaf.chainPem, "tls.key": leaf.keyPem },
      },
      child,
    );
    this.registerOutputs({});
  }

  /**
   * Gives a pod its sidecar: labels, the Envoy as first init container (a native sidecar), the start gate behind it, probes and drain of the
   * application's containers, and the sidecar as the pod's only resolver.
   *
   * The template's first container is the application, whose health the pod's readiness follows.
   *
   * @param version which version of the service the pod is. Default: the service's only one.
   */
  attachTo(template: PodTemplate, version = this.args.service.version): PodTemplate {
    const { service } = this.args;
    const [application, ...others] = template.spec.containers;
    return {
      metadata: {
        labels: {
          ...template.metadata?.labels,
          ...workloadLabels(service.name, service.zone, version),
          [LABELS.meshed]: "true",
        },
        annotations: { ...template.metadata?.annotations, "lucid.internal/bootstrap-digest": this.bootstrapDigest },
      },
      spec: {
        ...template.spec,
        dnsPolicy: "None",
        dnsConfig: { nameservers: ["127.0.0.1"] },
        initContainers: [this.envoyContainer(), this.startGateContainer(), ...(template.spec.initContainers ?? [])],
        containers: [withProbes(withDrain(application)), ...others.map(withDrain)],
        volumes: [...(template.spec.volumes ?? []), ...this.volumes()],
      },
    };
  }

  private envoyContainer(): Container {
    const { service, envoy } = this.args;
    return {
      name: "sidecar",
      image: IMAGES.envoy,
      restartPolicy: "Always",
      command: ["envoy"],
      args: sidecarCommand(service, envoy),
      env: [
        { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
        { name: "ENVOY_ADMIN_PORT", value: String(envoy.adminPort) },
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
      resources: { requests: { cpu: "20m", memory: "48Mi" }, limits: { memory: "160Mi" } },
      securityContext: restrictedContainer(SIDECAR_UID),
      volumeMounts: [
        { name: "sidecar-config", mountPath: SIDECAR_PATHS.config, readOnly: true },
        { name: "sidecar-certificate", mountPath: SIDECAR_PATHS.certificate, readOnly: true },
        { name: "sidecar-run", mountPath: SIDECAR_PATHS.run },
      ],
    };
  }

  private startGateContainer(): Container {
    return {
      name: "start-gate",
      image: this.args.startGateImage,
      env: [
        { name: "GATE_ADDRESS", value: this.args.envoy.resolverAddress },
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
  private volumes(): kubernetes.types.input.core.v1.Volume[] {
    const { name } = this.args.service;
    return [
      {
        name: "sidecar-config",
        projected: { sources: [{ configMap: { name: `${name}-envoy` } }, { configMap: { name: `${name}-trust` } }] },
      },
      { name: "sidecar-certificate", secret: { secretName: `${name}-tls` } },
      { name: "sidecar-run", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    ];
  }
}

/** Readiness follows the application's health, asked through the sidecar: every 30 s with a 10 s timeout once it has started. */
function withProbes(container: Container): Container {
  const httpGet = { path: "/health", port: SIDECAR_PORTS.health };
  return {
    ...container,
    startupProbe: { httpGet, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 180 },
    readinessProbe: { httpGet, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 2 },
  };
}

/** Keeps an application answering while its pod leaves discovery; the sidecar, a native one, outlives it. */
function withDrain(container: Container): Container {
  return { ...container, lifecycle: { ...container.lifecycle, preStop: { sleep: { seconds: DRAIN_SECONDS } } } };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
