/** A catalogue of synthetic instances, as the controller registers them: a node of its own for each, with its check. */
import { DISCOVERY_DOMAIN } from "../../../mesh/wire";
import { PORTS } from "./stack";

const PARALLEL = 16;

export interface Scale {
  readonly services: number;
  readonly instances: number;
}

export function serviceName(index: number): string {
  return `service-${index}`;
}

/** The name by which sidecars look a service up. */
export function lookedUp(index: number): string {
  return `${serviceName(index)}.service.${DISCOVERY_DOMAIN}`;
}

export async function registerAll({ services, instances }: Scale): Promise<void> {
  const all = Array.from({ length: services * instances }, (_, index) => index);
  const work = async () => {
    for (let index = all.pop(); index !== undefined; index = all.pop())
      await register(Math.floor(index / instances), index % instances, "passing");
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

/** Changes one registration a second, until it is stopped: an instance fails, and passes a second later. @returns stops it, and tells how many there were */
export function changeOneEachSecond({ services }: Pick<Scale, "services">): () => Promise<number> {
  let changes = 0;
  let last: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    const index = Math.floor(changes / 2) % services;
    last = register(index, 0, changes % 2 === 0 ? "critical" : "passing");
    changes += 1;
  }, 1000);
  return async () => {
    clearInterval(timer);
    await last;
    return changes;
  };
}

async function register(service: number, instance: number, status: "passing" | "critical"): Promise<void> {
  const name = serviceName(service);
  const id = `${name}-${instance}`;
  const address = `10.${100 + instance}.${Math.floor(service / 250)}.${1 + (service % 250)}`;
  const body = JSON.stringify({
    Node: `lucid-ops-${id}`,
    Address: address,
    NodeMeta: { "external-node": "true" },
    Service: { ID: id, Service: name, Address: address, Port: 15001, Tags: ["ops", "v-1-0-0"] },
    Check: { CheckID: `ready-${id}`, Name: "readiness", Status: status, ServiceID: id },
  });
  const response = await fetch(`http://127.0.0.1:${PORTS.serverHttp}/v1/catalog/register`, { method: "PUT", body });
  if (!response.ok) throw new Error(`Consul refused ${id}: ${response.status} ${await response.text()}`);
}
