import type * as pulumi from "@pulumi/pulumi";
import type { Mesh } from "../../../mesh";
import type { DeclaredObject } from "../../../mesh/declarations";
import { CONSUL } from "../../../mesh/wire";
import { ServiceImage } from "../../service-image";
import type { Settings } from "../../stack/settings";
import type { Discovery, DiscoveryArgs, DiscoveryBackend, DiscoveryNetwork } from "../backend";
import { ConsulAcls } from "./acls";
import { ConsulCluster } from "./cluster";
import { declaredAcl } from "./declared";
import { consulNetwork } from "./network";
import { consulRegistrar } from "./registrar";
import { consulResolverSource } from "./resolver";

type ConsulSettings = Extract<Settings, { readonly discoveryBackend: "consul" }>;

/** Consul: servers with ACLs, and on each node a client agent from which CoreDNS has its answers. */
export class ConsulBackend implements DiscoveryBackend {
  constructor(private readonly settings: ConsulSettings) {}

  network(mesh: Mesh): DiscoveryNetwork {
    return consulNetwork(mesh);
  }

  declaredOf(type: string, inputs: Readonly<Record<string, unknown>>): DeclaredObject | undefined {
    return declaredAcl(type, inputs);
  }

  deploy(args: DiscoveryArgs, opts: pulumi.ComponentResourceOptions): Discovery {
    const { consulServers: servers, consulIp: clusterIp, imageRegistry: registry } = this.settings;
    const { mesh, zone, certValidityDays } = args;
    const snapshots = {
      image: new ServiceImage("snapshots", { service: "snapshots", registry }, opts),
      intervalMinutes: this.settings.snapshotIntervalMinutes,
      kept: this.settings.snapshotsKept,
    };
    const datacenter = mesh.datacenters?.own;
    const cluster = new ConsulCluster(
      CONSUL.service,
      { zone, servers, clusterIp, certValidityDays, snapshots, datacenter },
      opts,
    );
    const acls = new ConsulAcls(
      `${CONSUL.service}-acls`,
      { mesh, zone, cluster, address: args.address ?? NOWHERE },
      opts,
    );
    return {
      ready: cluster,
      resolver: consulResolverSource({ cluster, servers, datacenter, agentToken: acls.resolverToken }),
      registrar: consulRegistrar({
        clusterIp,
        tokens: acls.registrarTokens,
        aclToken: acls.readerToken,
        datacenter,
      }),
    };
  }
}

/** Where nothing is made, nothing is dialled: a provider needs an address all the same. */
const NOWHERE = `127.0.0.1:${String(CONSUL.httpPort)}`;
