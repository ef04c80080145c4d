import { z } from "zod";
import type { ZoneName } from "../../../../mesh/model.js";
import type { ConsulClient } from "./client.js";
import { entryOf, META, type CatalogueCheck, type CatalogueEntry, type CatalogueService } from "./entry.js";
import type { Action } from "./plan.js";

/** Requests for services that a reading of the catalogue has under way at the same time. */
const PARALLEL_READS = 4;

const meta = z.record(z.string(), z.string()).nullish();
const nodesSchema = z.array(z.object({ Node: z.string(), Address: z.string(), Meta: meta }));
const servicesSchema = z.record(z.string(), z.unknown());
const instancesSchema = z.array(
  z.object({
    Node: z.object({ Node: z.string(), Address: z.string(), Meta: meta }),
    Service: z.object({
      ID: z.string(),
      Service: z.string(),
      Address: z.string(),
      Port: z.number(),
      Tags: z.array(z.string()).nullish(),
    }),
    Checks: z.array(z.object({ CheckID: z.string(), Name: z.string(), Status: z.string(), ServiceID: z.string() })),
  }),
);

interface EntryBuilder {
  node: string;
  address: string;
  meta: Record<string, string>;
  services: CatalogueService[];
  checks: Map<string, CatalogueCheck>;
}

/** Consul's catalogue, as far as it is ours. */
export class Catalogue {
  constructor(private readonly consul: ConsulClient) {}

  /**
   * All nodes of a zone that a controller made, with what is registered on them. Two requests and one per service of the zone.
   *
   * @throws where any part could not be read: half a catalogue is never returned
   */
  async read(zone: ZoneName): Promise<CatalogueEntry[]> {
    const ours = `node-meta=${META.controller}:true&node-meta=${META.zone}:${zone}`;
    const entries = new Map<string, EntryBuilder>();
    const entry = (node: string, address: string, nodeMeta: Record<string, string>): EntryBuilder => {
      const known = entries.get(node);
      if (known !== undefined) {
        return known;
      }
      const fresh = { node, address, meta: nodeMeta, services: [], checks: new Map<string, CatalogueCheck>() };
      entries.set(node, fresh);
      return fresh;
    };

    for (const { Node, Address, Meta } of nodesSchema.parse(await this.get(zone, `/v1/catalog/nodes?${ours}`))) {
      entry(Node, Address, Meta ?? {});
    }
    const services = Object.keys(servicesSchema.parse(await this.get(zone, `/v1/catalog/services?${ours}`)));
    const readOne = async (service: string): Promise<void> => {
      const path = `/v1/health/service/${encodeURIComponent(service)}?${ours}`;
      for (const { Node, Service, Checks } of instancesSchema.parse(await this.get(zone, path))) {
        const builder = entry(Node.Node, Node.Address, Node.Meta ?? {});
        builder.services.push({
          id: Service.ID,
          service: Service.Service,
          address: Service.Address,
          port: Service.Port,
          tags: Service.Tags ?? [],
        });
        for (const { CheckID, Name, Status, ServiceID } of Checks) {
          builder.checks.set(CheckID, { id: CheckID, name: Name, status: Status, serviceId: ServiceID });
        }
      }
    };
    await inParallel(services, PARALLEL_READS, readOne);

    return [...entries.values()].map(({ checks, ...rest }) => ({ ...rest, checks: [...checks.values()] }));
  }

  /** Carries one action out. It may be repeated. */
  async apply(zone: ZoneName, action: Action): Promise<void> {
    switch (action.kind) {
      case "register":
        return this.put(zone, "register", registerBody(entryOf(action.registration)));
      case "deregister":
        return this.put(zone, "deregister", { Node: action.node });
      case "remove-service":
        return this.put(zone, "deregister", { Node: action.node, ServiceID: action.id });
      case "remove-check":
        return this.put(zone, "deregister", { Node: action.node, CheckID: action.id });
    }
  }

  private get(zone: ZoneName, path: string): Promise<unknown> {
    return this.consul.request(zone, "GET", path);
  }

  private async put(zone: ZoneName, operation: "register" | "deregister", body: unknown): Promise<void> {
    await this.consul.request(zone, "PUT", `/v1/catalog/${operation}`, body);
  }
}

/** Body of `PUT /v1/catalog/register`; node, service and check are written in one transaction. */
function registerBody({ node, address, meta: nodeMeta, services, checks }: CatalogueEntry): unknown {
  const [service] = services;
  return {
    Node: node,
    Address: address,
    NodeMeta: nodeMeta,
    Service:
      service === undefined
        ? undefined
        : {
            ID: service.id,
            Service: service.service,
            Address: service.address,
            Port: service.port,
            Tags: service.tags,
          },
    Checks: checks.map(({ id, name, status, serviceId }) => ({
      Node: node,
      CheckID: id,
      Name: name,
      Status: status,
      ServiceID: serviceId,
    })),
  };
}

/** Runs `work` on all items, at most `width` at a time; after the first failure nothing more is begun. */
async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const pending = [...items];
  const worker = async (): Promise<void> => {
    for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
      await work(item);
    }
  };
  try {
    await Promise.all(Array.from({ length: width }, worker));
  } finally {
    pending.length = 0;
  }
}
