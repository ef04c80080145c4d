import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { firstPort, type Service, type ZoneName } from "../../mesh";
import { CONSUL } from "../../mesh/wire";
import { CONSUL_SERVER_NAME } from "../discovery/consul-config";
import type { MeshContext } from "../mesh-service";
import { MeshService } from "../mesh-service";
import { objectLabels, restrictedContainer, restrictedPod } from "../pods/pod";
import type { ServiceImage } from "../service-image";

/** User that the controller's image brings. */
const CONTROLLER_UID = 1000;
const TOKENS_PATH = "/etc/consul/tokens";
const TRUST_PATH = "/etc/consul/trust";

export interface MeshControllerArgs {
  readonly context: MeshContext;
  readonly service: Service;
  readonly image: ServiceImage;
  /** ClusterIP of Consul's HTTPS API: the pod's resolver knows mesh names alone. */
  readonly consulIp: string;
  /** For each zone that has services, the token that may register them. */
  readonly registrarTokens: ReadonlyMap<ZoneName, pulumi.Input<string>>;
  /** `SERVICE_REGISTRY_TTL`, in seconds. */
  readonly registryTtl: number;
  /** What must exist before it runs: the right to list pods, Consul. */
  readonly waitFor: readonly pulumi.Resource[];
}

/** The mesh controller: it keeps Consul's catalogue equal to the pods that run. */
export class MeshController extends pulumi.ComponentResource {
  constructor(name: string, args: MeshControllerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:MeshController", name, {}, opts);
    const { service, context } = args;
    const zone = context.zones[service.zone];
    const child = { parent: this, dependsOn: zone.isolation };
    const labels = objectLabels(service.name, service.zone);
    const object = (suffix: string) => ({ name: `${service.name}-${suffix}`, namespace: service.namespace, labels });

    const tokens = new kubernetes.core.v1.Secret(
      `${name}-tokens`,
      { metadata: object("tokens"), type: "Opaque", stringData: Object.fromEntries(args.registrarTokens) },
      child,
    );
    const trust = new kubernetes.core.v1.ConfigMap(
      `${name}-consul-trust`,
      { metadata: object("consul-trust"), data: { "ca.crt": zone.authority.rootsPem } },
      child,
    );
    const namespaces = context.mesh.zones
      .filter((candidate) => args.registrarTokens.has(candidate.name))
      .map((candidate) => `${candidate.namespace}=${candidate.name}`);
    new MeshService(
      name,
      {
        context,
        service,
        kubernetesApi: true,
        waitFor: [tokens, trust, args.image, ...args.waitFor],
        pod: {
          spec: {
            securityContext: restrictedPod(CONTROLLER_UID),
            containers: [
              {
                name: "controller",
                image: args.image.reference,
                env: [
                  { name: "SERVICE_MESH_CONTROLLER_PORT", value: String(firstPort(service).port) },
                  { name: "CONSUL_HTTP_ADDR", value: `https://${args.consulIp}:${CONSUL.httpsPort}` },
                  { name: "CONSUL_CACERT", value: `${TRUST_PATH}/ca.crt` },
                  { name: "CONSUL_TLS_SERVER_NAME", value: CONSUL_SERVER_NAME },
                  { name: "CONSUL_TOKENS_DIR", value: TOKENS_PATH },
                  { name: "LUCID_NAMESPACES", value: namespaces.join(",") },
                  { name: "SERVICE_REGISTRY_TTL", value: String(args.registryTtl) },
                ],
                ports: service.ports.map(({ name: portName, port }) => ({ name: portName, containerPort: port })),
                resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "256Mi" } },
                securityContext: restrictedContainer(CONTROLLER_UID),
                volumeMounts: [
                  { name: "consul-tokens", mountPath: TOKENS_PATH, readOnly: true },
                  { name: "consul-trust", mountPath: TRUST_PATH, readOnly: true },
                ],
              },
            ],
            volumes: [
              { name: "consul-tokens", secret: { secretName: `${service.name}-tokens` } },
              { name: "consul-trust", configMap: { name: `${service.name}-consul-trust` } },
            ],
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
