/** Names that are taken: by another service, by the mesh itself, or by the components that it is made of. */
import { draftServices, type Draft, type DraftService } from "../document/draft";
import { ZONES, type ZoneName } from "../model";
import { show, type Path, type Report } from "../document/problems";
import { listed } from "../document/suggest";
import { ISSUERS, ISSUING } from "../issuing";
import { CONSUL, ETCD, NODE_RESOLVER, WELL_KNOWN } from "../wire";

/** Names that would be taken for something else under `lucid.internal` or in the namespace of the mesh. */
const RESERVED: ReadonlyMap<string, string> = new Map([
  [CONSUL.service, "Consul"],
  [ETCD.service, "etcd"],
  [ETCD.access, "the keeper of etcd's users"],
  [ETCD.client, "the registrar's identity at etcd"],
  ["any", "a wildcard of CoreDNS"],
  [NODE_RESOLVER.service, "the node resolver"],
  ...ISSUERS.map((issuer) => [issuer, "who makes certificates"] as const),
  // Its certificate would lie where a zone's issuing authority does.
  [ISSUING.policy, "what issuers are given"],
  ["registry", "the image registry"],
  ["discovery", "the discovery domain"],
  ...ZONES.map((zone) => [zone, `the trust domain of zone ${zone}`] as const),
]);

interface NeededPort {
  readonly name: string;
  readonly protocol: string;
}

interface Component {
  readonly zone: ZoneName;
  /** What other parts of the mesh, or the component itself, count on. Default: none. */
  readonly ports?: readonly NeededPort[];
}

/** Jaeger's port for spans, to which tracing makes an edge from every service. */
export const OTLP_PORT = "otlp";
/** Jaeger's port for its page and its API. */
export const QUERY_PORT = "query";

/** Services whose pods a component of the package renders, and what the mesh counts on in them. */
export const COMPONENTS: ReadonlyMap<string, Component> = new Map<string, Component>([
  [WELL_KNOWN.prometheus, { zone: "ops" }],
  [
    WELL_KNOWN.jaeger,
    {
      zone: "ops",
      ports: [
        { name: QUERY_PORT, protocol: "http" },
        { name: OTLP_PORT, protocol: "grpc" },
      ],
    },
  ],
  [WELL_KNOWN.controller, { zone: "mesh" }],
  [WELL_KNOWN.gateway, { zone: "edge" }],
]);

/** Every name stands for one service, and well-known names for what they say. */
export function checkNames(draft: Draft, report: Report): void {
  const first = new Map<string, number>();
  for (const { service, path } of draftServices(draft)) {
    const { name } = service;
    if (name === undefined) continue;
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, path[1]);
    } else {
      report(
        [...path, "name"],
        `two services are named ${show(name)} (also services[${String(earlier)}])`,
        "rename one",
      );
    }
    const meaning = RESERVED.get(name);
    if (meaning !== undefined)
      report([...path, "name"], `the name ${show(name)} is that of ${meaning}`, "take another");
    checkComponent(service, name, path, report);
  }
}

function checkComponent(service: DraftService, name: string, path: Path, report: Report): void {
  const component = COMPONENTS.get(name);
  if (component === undefined) {
    if (service.component === true) {
      const known = listed(COMPONENTS.keys());
      report([...path, "component"], `no component renders ${show(name)}, only ${known}`, "take 'component' away");
    }
    return;
  }
  if (service.component !== true) {
    report([...path, "component"], `${show(name)} is rendered by a component`, "write 'component: true'");
  }
  if (service.plane !== undefined && service.plane !== component.zone) {
    report([...path, "plane"], `${show(name)} is in ${show(service.plane)}`, `write 'plane: ${component.zone}'`);
  }
  for (const needed of component.ports ?? []) checkPort(service, name, needed, path, report);
}

function checkPort({ ports }: DraftService, name: string, needed: NeededPort, path: Path, report: Report): void {
  if (ports === undefined) return;
  const found = ports.findIndex((port) => port.name === needed.name);
  if (found < 0) {
    report(
      [...path, "ports"],
      `${show(name)} has no port '${needed.name}'`,
      `declare it with protocol ${needed.protocol}`,
    );
  } else if (![needed.protocol, undefined].includes(ports[found]?.protocol)) {
    const at = [...path, "ports", found, "protocol"];
    report(
      at,
      `port '${needed.name}' of ${show(name)} must speak ${needed.protocol}`,
      `write 'protocol: ${needed.protocol}'`,
    );
  }
}
