import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { EnvoyOptions } from "../envoy";
import { renderSidecar, renderTrust, sidecarCommand, sidecarResources } from "../envoy";
import type { Mesh, PeerZone, Service, ZoneName } from "../mesh";
import { trustedZones, ZONES } from "../mesh";
import { CERTIFICATE_END } from "../mesh/wire";
import type { CertificateAuthority, ZoneTrust } from "./certificate-authority";
import type { TrustElsewhere } from "./datacenters/trust-elsewhere";
import { objectLabels } from "./pods/pod";
import type { PodTemplate } from "./pods/pod-template";
import type { AttachOptions, SidecarPod } from "./pods/sidecar-pod";
import { attachSidecar } from "./pods/sidecar-pod";
import { IMAGES } from "./versions";

export interface SidecarArgs {
  readonly mesh: Mesh;
  readonly service: Service;
  readonly envoy: EnvoyOptions;
  /** Authority of the service's own zone: it signs the leaf. */
  readonly authority: CertificateAuthority;
  /** Roots and revocation lists of every zone; the sidecar is given those of its peers alone. */
  readonly trust: Readonly<Record<ZoneName, ZoneTrust>>;
  /** The same of zones of other datacenters, where it has peers there. Default: none. */
  readonly elsewhere?: TrustElsewhere;
  readonly certValidityDays: number;
  /** The certificate is the zone's issuer's to make, and the pods wait for it. */
  readonly issued: boolean;
  /** Part of the names of key and certificate, which changes when one of the service's certificates is revoked. Default: none. */
  readonly leafRevision?: string;
  /** Image of the start gate. */
  readonly startGateImage: string;
}

/**
 * A service's sidecar: its Envoy configuration, its certificate and the roots of its peers' zones; and what has to be added to a pod for it
 * (`attachTo`). The three objects are read live, so that a change of them rolls no pod; only a changed bootstrap does.
 */
export class Sidecar extends pulumi.ComponentResource {
  /** Known once everything that the sidecar reads is there. */
  readonly written: pulumi.Output<string>;
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
    const trust: Record<string, pulumi.Input<string>> = {};
    for (const zone of trustedZones(args.mesh, service)) {
      const { rootsPem, revocationsPem } = trustIn(zone, args);
      trust[`${zone}.yaml`] =
        typeof rootsPem === "string" && typeof revocationsPem === "string"
          ? // As text, what another datacenter told is judged, and found out where it is changed, as the other files are.
            renderTrust(zone, rootsPem, revocationsPem)
          : pulumi
              .all([rootsPem, revocationsPem])
              .apply(([roots, revocations]) => renderTrust(zone, roots, revocations));
    }
    const certificate = this.certificate(name, object("tls"));
    const roots = new kubernetes.core.v1.ConfigMap(
      `${name}-trust`,
      { metadata: { ...object("trust"), ...certificate.told }, data: trust },
      { ...child, dependsOn: certificate.resources },
    );
    const configuration = new kubernetes.core.v1.ConfigMap(
      `${name}-envoy`,
      { metadata: object("envoy"), data: { ...files } },
      // Written after the roots: kubelet may read both between the two writes.
      { ...child, dependsOn: roots },
    );
    this.written = configuration.id;
    this.registerOutputs({});
  }

  /** Its key and certificate, where no issuer makes them; and what is told of them beside the Secret. */
  private certificate(
    name: string,
    metadata: kubernetes.types.input.meta.v1.ObjectMeta,
  ): {
    readonly resources: pulumi.Resource[];
    readonly told: Pick<kubernetes.types.input.meta.v1.ObjectMeta, "annotations">;
  } {
    const { service, authority, certValidityDays: validityDays, leafRevision: revision, issued } = this.args;
    if (issued && service.revoked === undefined) return { resources: [], told: {} };
    const names = { commonName: service.hostname, uri: service.identity };
    const leaf = authority.issue(name, { ...names, validityDays, revision }, this);
    // By when it was made it is known which ones an issuer can have made before; nobody is given it.
    if (issued) return { resources: [], told: {} };
    const secret = new kubernetes.core.v1.Secret(
      `${name}-tls`,
      { metadata, type: "kubernetes.io/tls", stringData: { "tls.crt": leaf.chainPem, "tls.key": leaf.keyPem } },
      { parent: this },
    );
    // The controller may not see Secrets, their metadata included: by these it learns that the certificate is another one, and how long it lasts.
    const annotations = {
      "lucid.internal/certificate-digest": pulumi.output(leaf.chainPem).apply(digest),
      [CERTIFICATE_END]: leaf.notAfter,
    };
    return { resources: [secret], told: { annotations } };
  }

  /** What the service's pods need to know to be given this sidecar: no key, no secret. */
  get pod(): SidecarPod {
    const { mesh, service, envoy, startGateImage } = this.args;
    return {
      service: service.name,
      zone: service.zone,
      version: service.version,
      bootstrapDigest: this.bootstrapDigest,
      images: { envoy: IMAGES.envoy, startGate: startGateImage },
      args: sidecarCommand(service, envoy),
      resources: sidecarResources(mesh, service),
      adminPort: envoy.adminPort,
      resolverAddress: envoy.resolverAddress,
    };
  }

  /**
   * Gives the pod template of any workload this sidecar; see `attachSidecar`.
   *
   * @throws RunError with everything in the template that the sidecar can't live with, each with its place and mend
   */
  attachTo(template: PodTemplate, options?: AttachOptions): PodTemplate {
    return attachSidecar(template, this.pod, options);
  }
}

function trustIn(zone: PeerZone, { trust, elsewhere = {} }: SidecarArgs) {
  const own = ZONES.find((name) => name === zone);
  const found = own === undefined ? elsewhere[zone] : trust[own];
  if (found === undefined) throw new RangeError(`nobody says by what zone ${zone} is believed`);
  return found;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
