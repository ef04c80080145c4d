/** Ports: of the application, of the sidecar beside it, and of the loopback addresses that it dials. */
import { answersGet, dialPortOf } from "../defaults";
import { draftServices, isMap, type Draft, type DraftService } from "../document/draft";
import { show, type Path, type Report } from "../document/problems";
import { listed } from "../document/suggest";
import { INSPECTION_PORT_NAME, SIDECAR_PORTS, WELL_KNOWN } from "../wire";
import { isDraftExternal } from "./external";
import { isDraftJob } from "./jobs";

/** First and last of the loopback ports that sidecars of the mesh's own services use (scrapes of Prometheus). */
export const RESERVED_RANGE = [15300, 15399] as const;

/** What a port number belongs to already in every pod, or undefined when it is free. */
export function reservedFor(port: number): string | undefined {
  for (const [use, reserved] of Object.entries(SIDECAR_PORTS)) if (port === reserved) return `its ${use} listener`;
  return port >= RESERVED_RANGE[0] && port <= RESERVED_RANGE[1] ? "scrapes" : undefined;
}

/** Names and numbers are unique in a service, and none belongs to the sidecar; health can be asked. */
export function checkPorts(draft: Draft, raw: (path: Path) => unknown, report: Report): void {
  for (const { service, path } of draftServices(draft)) {
    // That a gateway has none is checked with the datacenters.
    if (isDraftJob(service) || service.name === WELL_KNOWN.gateway) continue;
    if (isMap(raw(path)) && isMissing(raw([...path, "ports"]))) {
      const mend = "declare one, or a 'workload' that ends by itself and needs none";
      report([...path, "ports"], "a service without a port can't be in the mesh", mend);
    }
    if (service.ports === undefined) continue;
    const names = new Map<unknown, number>();
    const numbers = new Map<unknown, number>();
    const dials = new Map<unknown, number>();
    service.ports.forEach((port, index) => {
      const at: Path = [...path, "ports", index];
      if (port.name === INSPECTION_PORT_NAME) {
        report([...at, "name"], `the port name '${INSPECTION_PORT_NAME}' is the sidecar's own`, "take another");
      }
      checkTaken(names, port.name, index, (earlier) => {
        report([...at, "name"], `two ports are named ${show(port.name)} (also ports[${earlier}])`, "rename one");
      });
      checkTaken(numbers, port.port, index, (earlier) => {
        report(
          [...at, "port"],
          `port ${String(port.port)} is declared twice (also ports[${earlier}])`,
          "declare it once",
        );
      });
      if (!isDraftExternal(service)) checkReserved(port.port, [...at, "port"], report);
      checkReserved(port.dialPort, [...at, "dialPort"], report);
      const dial = dialPortOf(port, index);
      if (dial === undefined && port.name !== undefined) {
        const mend = `say where callers dial it, as 'dialPort: ${String(80 + index)}'`;
        report([...at, "dialPort"], `port ${show(port.name)} has no dialPort, and only the first has a default`, mend);
      }
      checkTaken(dials, dial, index, (earlier) => {
        report([...at, "dialPort"], `dialPort ${String(dial)} is that of ports[${earlier}] already`, "take another");
      });
    });
    if (isDraftExternal(service)) continue;
    checkAsked(service, "health", path, report);
    if (service.metrics !== undefined) checkAsked(service, "metrics", path, report);
  }
}

/** Numbers on which the application of a service listens in its pods. */
export function ownPorts(service: DraftService): ReadonlySet<number> {
  if (isDraftExternal(service)) return new Set();
  const numbers = [...(service.ports ?? []), service.health, service.metrics].map((asked) => asked?.port);
  return new Set(numbers.filter((number) => typeof number === "number"));
}

function isMissing(ports: unknown): boolean {
  return ports === undefined || (Array.isArray(ports) && ports.length === 0);
}

function checkTaken(seen: Map<unknown, number>, value: unknown, index: number, twice: (earlier: string) => void): void {
  if (value === undefined) return;
  const earlier = seen.get(value);
  if (earlier === undefined) seen.set(value, index);
  else twice(String(earlier));
}

function checkReserved(port: number | undefined, path: Path, report: Report): void {
  const use = port === undefined ? undefined : reservedFor(port);
  if (use !== undefined) report(path, `port ${String(port)} is kept by the sidecar for ${use}`, "take another");
}

/** What the mesh asks of the application by itself, with how a document is told that it can't. */
const ASKED = { health: "readiness can't be asked", metrics: "nobody can ask for metrics" } as const;

function checkAsked(service: DraftService, key: keyof typeof ASKED, path: Path, report: Report): void {
  const ports = service.ports ?? [];
  const asked = service[key]?.port;
  const at: Path = [...path, key, "port"];
  if (asked === undefined) {
    const known = ports.every((port) => port.protocol !== undefined);
    if (ports.length > 0 && known && !ports.some((port) => port.protocol !== undefined && answersGet(port.protocol))) {
      report(at, `no declared port answers a GET, so ${ASKED[key]}`, "name a port number that does");
    }
    return;
  }
  if (typeof asked === "number") checkReserved(asked, at, report);
  const port = ports.find((candidate) => candidate.name === asked || candidate.port === asked);
  if (port === undefined) {
    if (typeof asked === "number") return;
    report(
      at,
      `there is no port ${show(asked)}`,
      `name ${listed(ports.flatMap((each) => each.name ?? []))}, or a number`,
    );
  } else if (port.protocol !== undefined && !answersGet(port.protocol)) {
    report(at, `a port that speaks ${port.protocol} answers no GET`, "name an HTTP port, or the number of another one");
  }
}
