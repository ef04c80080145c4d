/** Everything that a declaration renders, made when it is first asked for. */
import { discoveryBackend } from "../../components/discovery/backends";
import { envoyOptions } from "../../components/stack/envoy-options";
import { networkPolicies, type NamedNetworkPolicy } from "../../components/network/network-policies";
import { renderSidecar, type SidecarFiles } from "../../envoy";
import type { Mesh, Service } from "../../mesh";
import type { Settings } from "../../components/stack/settings";

/** What is enforced: the files of each sidecar, and the NetworkPolicies. */
export class Enforced {
  private readonly sidecars = new Map<string, SidecarFiles>();
  private policies: readonly NamedNetworkPolicy[] | undefined;

  constructor(
    readonly mesh: Mesh,
    private readonly settings: Settings,
  ) {}

  /** The files of a service's sidecar. */
  sidecar(service: Service): SidecarFiles {
    let files = this.sidecars.get(service.name);
    if (files === undefined) {
      files = renderSidecar(this.mesh, service, envoyOptions(this.settings));
      this.sidecars.set(service.name, files);
    }
    return files;
  }

  /** The NetworkPolicies of all zones. */
  get networkPolicies(): readonly NamedNetworkPolicy[] {
    return (this.policies ??= this.mesh.zones.flatMap((zone) =>
      networkPolicies(this.mesh, zone, { ...this.settings, discovery: discoveryBackend(this.settings) }),
    ));
  }
}
