import * as pulumi from "@pulumi/pulumi";
import { scrapedZones } from "../../envoy";
import { WELL_KNOWN, edgesFrom, findService, firstPort, scrapePort, type Service, type ZoneName } from "../../mesh";
import type { RepairedClass } from "../../mesh/declarations";
import type { Registrar } from "../discovery/backend";
import type { MeshContext } from "../mesh-service";
import { MeshService, zoneOf } from "../mesh-service";
import { objectLabels, restrictedContainer, restrictedPod } from "../pods/pod";
import type { ServiceImage } from "../service-image";

/** User that the controller's image brings. */
const CONTROLLER_UID = 1000;
/** Between two tries of the live canary at a pod. */
const CANARY_SECONDS = 60;

export interface MeshControllerArgs {
  readonly context: MeshContext;
  readonly service: Service;
  readonly image: ServiceImage;
  /** By what it registers instances. */
  readonly registrar: Registrar;
  /** `SERVICE_REGISTRY_TTL`, in seconds. */
  readonly registryTtl: number;
  /** Zones that other stacks deploy, later than this: the controller waits for them, and is well without. */
  readonly elsewhere: readonly ZoneName[];
  /** What it puts right where it is not as declared. */
  readonly driftRepairs: readonly RepairedClass[];
  /** What must exist before it runs: the right to list pods, the discovery backend. */
  readonly waitFor: readonly pulumi.Resource[];
}

/** The mesh controller: it keeps the registry equal to the pods that run. Of its replicas one leads, and the others take over when it is gone. */
export class MeshController extends pulumi.ComponentResource {
  /** Known once everything that its sidecar reads is there. */
  readonly written: pulumi.Output<string>;

  constructor(name: string, args: MeshControllerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:MeshController", name, {}, opts);
    const { service, context } = args;
    const zone = zoneOf(context, service);
    const child = { parent: this, dependsOn: zone.isolation };
    const labels = objectLabels(service.name, service.zone);
    const object = (suffix: string) => ({ name: `${service.name}-${suffix}`, namespace: service.namespace, labels });

    const registrar = args.registrar.attach({ name, zone, object, parent: this, resourceOptions: child });
    const namespaces = context.mesh.zones
      .filter((candidate) => args.registrar.zones.includes(candidate.name))
      .map((candidate) => `${candidate.namespace}=${candidate.name}`);
    const own = new MeshService(
      name,
      {
        context,
        service,
        kubernetesApi: true,
        waitFor: [...registrar.waitFor, args.image, ...args.waitFor],
        pod: {
          spec: {
            securityContext: restrictedPod(CONTROLLER_UID),
            containers: [
              {
                name: "controller",
                image: args.image.reference,
                env: [
                  { name: "SERVICE_MESH_CONTROLLER_PORT", value: String(firstPort(service).port) },
                  ...registrar.env,
                  { name: "LUCID_NAMESPACES", value: namespaces.join(",") },
                  ...(args.elsewhere.length === 0
                    ? []
                    : [{ name: "LUCID_ZONES_ELSEWHERE", value: args.elsewhere.join(",") }]),
                  { name: "DRIFT_REPAIRS", value: args.driftRepairs.join(",") || "none" },
                  { name: "CANARY_INTERVAL", value: String(CANARY_SECONDS) },
                  { name: "NODE_RESOLVER_ADDRESS", value: context.envoy.resolverAddress },
                  { name: "SERVICE_REGISTRY_TTL", value: String(args.registryTtl) },
                  ...prometheusOf(context, service),
                  { name: "INSPECTION_PROXIES", value: inspectionProxies(context).join(",") },
                ],
                ports: service.ports.map(({ name: portName, port }) => ({ name: portName, containerPort: port })),
                resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "256Mi" } },
                securityContext: restrictedContainer(CONTROLLER_UID),
                volumeMounts: [...registrar.mounts],
              },
            ],
            volumes: registrar.volumes,
          },
        },
      },
      { parent: this },
    );
    this.written = own.written;
    this.registerOutputs({});
  }
}

/** The forward proxies of its sidecar, through which it inspects the others. */
function inspectionProxies({ mesh }: MeshContext): readonly string[] {
  return scrapedZones(mesh).map((zone) => `${zone}=http://127.0.0.1:${scrapePort(zone)}`);
}

/** Where the controller asks what sidecars counted; nothing where the document declares no such call. */
function prometheusOf({ mesh }: MeshContext, controller: Service): { readonly name: string; readonly value: string }[] {
  const edge = edgesFrom(mesh, controller).find(({ to, kind }) => to === WELL_KNOWN.prometheus && kind === "call");
  const prometheus = edge && findService(mesh, edge.to);
  const port = prometheus?.ports.find(({ name }) => name === edge?.port);
  if (prometheus === undefined || port === undefined) return [];
  const suffix = port.dialPort === 80 ? "" : `:${port.dialPort}`;
  return [{ name: "PROMETHEUS_URL", value: `http://${prometheus.hostname}${suffix}` }];
}
