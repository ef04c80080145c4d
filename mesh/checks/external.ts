/** Services outside the cluster: where they may stand, what proves them, and what says nothing on one. */
import { answersGet } from "../defaults";
import { draftServices, type Draft, type DraftService } from "../document/draft";
import { show, type Path, type Report } from "../document/problems";
import { listed } from "../document/suggest";
import { FIXED_MEMBERS } from "./membership";

const NOT_HERE = "what is outside the cluster is run by others";

/** Keys of services that run in the cluster, with what each would mean on one that doesn't. */
const INSIDE_KEYS = {
  component: [NOT_HERE, "take it out"],
  joinedBy: [NOT_HERE, "take it out, or 'external' if another stack brings its pods"],
  image: [NOT_HERE, "take it out"],
  command: [NOT_HERE, "take it out"],
  args: [NOT_HERE, "take them out"],
  env: [NOT_HERE, "take it out"],
  resources: [NOT_HERE, "take them out; what its way out takes follows from 'load'"],
  workload: [NOT_HERE, "take it out"],
  versions: [`${NOT_HERE}, so the mesh tells none of its instances apart`, "declare a service for each"],
  routes: [`${NOT_HERE}, so the mesh tells none of its instances apart`, "declare a service for each"],
  health: ["what is outside the cluster is asked as 'external.health' says", "move it there"],
  metrics: ["what is outside the cluster has no sidecar beside it that could be asked", "take it out"],
  calls: ["what is outside the cluster calls nobody in it", "take them out; what comes from outside is another matter"],
} as const satisfies Partial<Record<keyof DraftService, readonly [message: string, mend: string]>>;

/** Whether a service is declared as one outside the cluster, rightly or not. */
export function isDraftExternal(service: DraftService): boolean {
  return service.external !== undefined;
}

/** What each service outside the cluster says. That calls of one cross zones with a reason is checked where they stand. */
export function checkExternals(draft: Draft, report: Report): void {
  for (const { service, path } of draftServices(draft)) {
    if (service.external === undefined) continue;
    for (const key of Object.keys(INSIDE_KEYS) as (keyof typeof INSIDE_KEYS)[]) {
      const value = service[key];
      if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
      const [message, mend] = INSIDE_KEYS[key];
      report([...path, key], message, mend);
    }
    if (service.plane !== undefined && FIXED_MEMBERS.has(service.plane)) {
      const message = `${service.plane} holds its own services alone, and no way out of the cluster`;
      report(
        [...path, "plane"],
        message,
        "declare it in 'edge', or in the zone of its callers, and call it from there",
      );
    }
    checkProof(service.external, [...path, "external"], report);
    checkAddresses(service.external.addresses ?? [], [...path, "external", "addresses"], report);
    checkPorts(service, service.external, path, report);
  }
}

type DraftExternal = NonNullable<DraftService["external"]>;

function checkProof({ tls, plaintext }: DraftExternal, path: Path, report: Report): void {
  if (tls === undefined && plaintext === undefined) {
    const mend =
      "write 'tls' with its names and authorities; where it can't have TLS, 'plaintext' with reason, owner and end";
    report([...path, "tls"], "nothing says by what the service proves itself", mend);
  }
  const names = tls?.names ?? [];
  if (tls?.serverName === undefined && names.length > 0 && names.every((name) => /^\*\.[a-z0-9-]+/.test(name ?? ""))) {
    const message = "every name stands for several, so that none can be asked for";
    report([...path, "tls", "serverName"], message, "write the service's own name");
  }
  if (tls !== undefined && plaintext !== undefined) {
    report([...path, "plaintext"], "'plaintext' stands beside 'tls'", "keep 'tls' where the service has it");
  }
}

function checkAddresses(addresses: readonly (string | undefined)[], path: Path, report: Report): void {
  addresses.forEach((address, index) => {
    if (address === undefined || addresses.indexOf(address) === index) return;
    report([...path, index], `${show(address)} stands twice`, "write each instance once");
  });
}

function checkPorts(service: DraftService, external: DraftExternal, path: Path, report: Report): void {
  const ports = service.ports ?? [];
  const protocols = ports.flatMap(({ protocol }) => protocol ?? []);
  if (protocols.length < ports.length || protocols.length === 0) return;
  if ((external.tls?.alpn ?? []).length > 0 && !protocols.includes("tcp")) {
    const message = "no port speaks tcp, and what HTTP offers follows from the port";
    report([...path, "external", "tls", "alpn"], message, "take it out");
  }
  if (external.health === undefined) return;
  const at = [...path, "external", "health", "port"];
  const { port: asked } = external.health;
  const found = ports.find(({ name }) => name === asked);
  if (asked === undefined) {
    if (!protocols.some(answersGet)) {
      report(at, "no port answers a GET, so this can't be asked", "take 'health' out: each port is connected to");
    }
  } else if (found === undefined) {
    report(at, `there is no port ${show(asked)}`, `name ${listed(ports.flatMap(({ name }) => name ?? []))}`);
  } else if (found.protocol !== undefined && !answersGet(found.protocol)) {
    report(at, `a port that speaks ${found.protocol} answers no GET`, "name an HTTP port, or take 'health' out");
  }
}
