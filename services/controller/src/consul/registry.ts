import type { ACL_READER } from "../../../../mesh/consul.js";
import type { ZoneName } from "../../../../mesh/model.js";
import type { Registration } from "../registry/registration.js";
import type { Actual, Registry, RequestObserver, Step } from "../registry/registry.js";
import { ConsulAcl } from "./acl.js";
import { Catalogue } from "./catalogue.js";
import { ConsulClient } from "./client.js";
import { entryOf, nodeName, podOf, type CatalogueEntry } from "./entry.js";
import { isOurs, planNode, type Action } from "./plan.js";
import type { ConsulSettings } from "./settings.js";

/** Consul's catalogue as a registry: each pod is a synthetic node, with one service and one check. */
export class ConsulRegistry implements Registry<CatalogueEntry> {
  readonly title = "Consul";
  readonly access: ConsulAcl;
  private readonly client: ConsulClient;
  /** Of its own, so that what it is answered is no sign that anybody can be registered. */
  private readonly reader: ConsulClient<typeof ACL_READER>;
  private readonly catalogue: Catalogue;

  constructor(settings: ConsulSettings, observe: RequestObserver) {
    this.client = new ConsulClient(settings, observe);
    this.catalogue = new Catalogue(this.client);
    this.reader = new ConsulClient(settings, (_, seconds, outcome) => {
      observe("none", seconds, outcome);
    });
    this.access = new ConsulAcl(this.reader, this.client);
  }

  get lastSuccess(): number | undefined {
    return this.client.lastSuccess;
  }

  async read(zone: ZoneName): Promise<ReadonlyMap<string, CatalogueEntry>> {
    const entries = (await this.catalogue.read(zone)).filter((entry) => isOurs(entry, zone));
    return new Map(entries.map((entry) => [podOf(zone, entry.node) ?? entry.node, entry]));
  }

  steps(
    zone: ZoneName,
    pod: string,
    desired: Registration | undefined,
    actual: Actual<CatalogueEntry>,
  ): Step<CatalogueEntry>[] {
    return planNode(nodeName(zone, pod), desired, actual).map((action) => ({
      kind: action.kind,
      done: doneBy(action),
      after: afterwards(action),
      carryOut: () => this.catalogue.apply(zone, action),
    }));
  }

  /** Nothing: what stands in the catalogue stays there. */
  run(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.client.close();
    this.reader.close();
  }
}

function doneBy(action: Action): string {
  switch (action.kind) {
    case "register":
      return "registered";
    case "deregister":
      return "deregistered";
    case "remove-service":
      return `foreign service ${action.id} removed`;
    case "remove-check":
      return `foreign check ${action.id} removed`;
  }
}

function afterwards(action: Action): Step<CatalogueEntry>["after"] {
  switch (action.kind) {
    case "register":
      return { entry: entryOf(action.registration) };
    case "deregister":
      return { entry: undefined };
    default:
      return "unread";
  }
}
