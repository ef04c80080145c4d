import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { GATEWAY_DRAIN_SECONDS, type Service } from "../../mesh";
import { SIDECAR_PORTS } from "../../mesh/wire";
import { MeshService, zoneOf, type MeshContext } from "../mesh-service";
import { objectLabels, selectorLabels } from "../pods/pod";
import { sidecarAlonePod } from "../pods/sidecar-alone";

export interface DatacenterGatewayArgs {
  readonly context: MeshContext;
  readonly service: Service;
}

/** The gateway of this datacenter: pods whose sidecar does all that they do, and the NodePort at which the gateways of others reach them, where their calls arrive. */
export class DatacenterGateway extends pulumi.ComponentResource {
  /** Known once everything that its sidecar reads is there. */
  readonly written: pulumi.Output<string>;

  constructor(name: string, { context, service }: DatacenterGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:DatacenterGateway", name, {}, opts);
    const pods = new MeshService(
      name,
      { context, service, pod: sidecarAlonePod(GATEWAY_DRAIN_SECONDS) },
      { parent: this },
    );
    this.written = pods.written;
    const { gateway, arrivals = [] } = context.mesh.datacenters ?? {};
    const { isolation } = zoneOf(context, service);
    if (gateway !== undefined && arrivals.length > 0 && service.revoked === undefined) {
      new kubernetes.core.v1.Service(
        `${name}-link`,
        {
          metadata: {
            name: service.name,
            namespace: service.namespace,
            labels: objectLabels(service.name, service.zone),
          },
          spec: {
            type: "NodePort",
            selector: selectorLabels(service.name),
            // The address of who connects stays, which the NetworkPolicy goes by.
            externalTrafficPolicy: "Local",
            ports: [
              {
                name: "link",
                port: SIDECAR_PORTS.inbound,
                targetPort: SIDECAR_PORTS.inbound,
                nodePort: gateway.port,
                protocol: "TCP",
              },
            ],
          },
        },
        // Who makes a Service waits until pods stand behind it.
        { parent: this, dependsOn: [isolation, pods] },
      );
    }
    this.registerOutputs({});
  }
}
