import { meshServicesPath } from "../../../../mesh/custom-resource/index.js";
import type { KubernetesApi } from "../kubernetes/api.js";
import { follow, type FollowOptions } from "../kubernetes/follow.js";
import { parseService, type DeclaredService } from "./resource.js";

/** Who is told of a store's changes. */
export interface ServiceEvents {
  /** The named service was declared, changed, or is declared no more. */
  readonly changed: (name: string) => void;
  readonly failed: (error: unknown) => void;
}

/** The `MeshService` objects of one namespace, as the API server last told. */
export class ServiceStore {
  private services = new Map<string, DeclaredService>();
  private listed = false;

  constructor(
    private readonly api: KubernetesApi,
    readonly namespace: string,
    private readonly events: ServiceEvents,
    private readonly options: FollowOptions = {},
  ) {}

  /** Whether a complete list was ever seen. */
  get synced(): boolean {
    return this.listed;
  }

  get(name: string): DeclaredService | undefined {
    return this.services.get(name);
  }

  all(): Iterable<DeclaredService> {
    return this.services.values();
  }

  /** Takes what the API server answered to a write of one's own, before the watch tells of it. */
  written(object: unknown): void {
    const service = parseService(object);
    if (this.services.has(service.name)) {
      this.services.set(service.name, service);
    }
  }

  /** Follows the namespace until `signal` is aborted. */
  follow(signal: AbortSignal): Promise<void> {
    return follow(
      this.api,
      { path: meshServicesPath(this.namespace) },
      {
        read: parseService,
        replaced: (services) => {
          const before = this.services;
          this.services = new Map(services.map((service) => [service.name, service]));
          this.listed = true;
          new Set([...before.keys(), ...this.services.keys()]).forEach(this.events.changed);
        },
        changed: (service) => {
          this.services.set(service.name, service);
          this.events.changed(service.name);
        },
        deleted: ({ name }) => {
          this.services.delete(name);
          this.events.changed(name);
        },
        failed: this.events.failed,
      },
      signal,
      this.options,
    );
  }
}
