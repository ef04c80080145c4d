import * as pulumi from "@pulumi/pulumi";
import type { Service, Zone } from "../../mesh";
import { IDENTITY_TOKEN } from "../../mesh/wire";
import { grantRole } from "./role";

const DISTRIBUTOR = "lucid-distributor";

export interface DistributionRightsArgs {
  /** The services whose applications bring to the sidecars what is not Pulumi's to bring: the controller. */
  readonly distributors: readonly Service[];
  /** Zones whose sidecars are served. */
  readonly zones: readonly Zone[];
}

/**
 * The right to keep ConfigMap `mesh-tokens` in each zone's namespace, and no other one; and to have kubelet bring changed ConfigMaps to pods at once: to watch
 * them, and to annotate pods. A Role and a RoleBinding in each namespace.
 *
 * Kubernetes can't limit `create` to a name; what is created under another one the admission policies refuse, and what exists can't be changed. Pods are annotated by way
 * of their status: the right to patch pods themselves would be the right to change their images. Secrets are not watched, for even their metadata can't be
 * without the right to read them; `<service>-trust` is annotated with a digest of the certificate beside it.
 */
export class DistributionRights extends pulumi.ComponentResource {
  constructor(name: string, args: DistributionRightsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:DistributionRights", name, {}, opts);
    for (const zone of args.zones) {
      const rules = [
        { apiGroups: [""], resources: ["configmaps"], verbs: ["create", "list", "watch"] },
        {
          apiGroups: [""],
          resources: ["configmaps"],
          resourceNames: [IDENTITY_TOKEN.keysConfigMap],
          verbs: ["get", "patch"],
        },
        { apiGroups: [""], resources: ["pods/status"], verbs: ["patch"] },
      ];
      grantRole(`${name}-${zone.name}`, { role: DISTRIBUTOR, place: zone, rules, subjects: args.distributors }, this);
    }
    this.registerOutputs({});
  }
}
