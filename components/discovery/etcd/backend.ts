import type * as pulumi from "@pulumi/pulumi";
import { ETCD, type Mesh } from "../../../mesh";
import type { Settings } from "../../stack/settings";
import type { Discovery, DiscoveryArgs, DiscoveryBackend, DiscoveryNetwork } from "../backend";
import { EtcdAccess } from "./access";
import { EtcdCluster } from "./cluster";
import { etcdNetwork } from "./network";
import { etcdRegistrar } from "./registrar";
import { etcdResolverSource } from "./resolver";

type EtcdSettings = Extract<Settings, { readonly discoveryBackend: "etcd" }>;

/** etcd: servers with users, one for each zone, and CoreDNS on each node that answers from them. */
export class EtcdBackend implements DiscoveryBackend {
  constructor(private readonly settings: EtcdSettings) {}

  network(mesh: Mesh): DiscoveryNetwork {
    return etcdNetwork(mesh);
  }

  deploy(args: DiscoveryArgs, opts: pulumi.ComponentResourceOptions): Discovery {
    const { etcdServers: servers, etcdIp: clusterIp } = this.settings;
    const { mesh, zone, certValidityDays } = args;
    const cluster = new EtcdCluster(ETCD.service, { zone, servers, clusterIp, certValidityDays }, opts);
    const access = new EtcdAccess(
      ETCD.access,
      { mesh, zone, cluster, clusterIp, image: args.controllerImage(), certValidityDays },
      opts,
    );
    return {
      ready: access,
      resolver: etcdResolverSource({ servers, access }),
      registrar: etcdRegistrar({ clusterIp, passwords: access.passwords, certValidityDays }),
    };
  }
}
