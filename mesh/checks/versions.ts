/** Versions side by side: each is there once, weights make a whole, and no share of the calls goes where nobody answers. */
import { draftServices, servicesByName, type Draft, type DraftRoute, type DraftService } from "../document/draft";
import { carriesRequests } from "../defaults";
import { versionWorkloadName } from "../names";
import { show, type Path, type Report } from "../document/problems";
import { didYouMean, listed } from "../document/suggest";
import { isDraftJob } from "./jobs";

/** What a version says for itself, so that its service can't. */
const OWN_KEYS = ["image", "version", "replicas"] as const;
const WHOLE = 100;

/** All versions of all services, and what calls say about them. */
export function checkVersions(draft: Draft, report: Report): void {
  const byName = servicesByName(draft);
  for (const { service, path } of draftServices(draft)) {
    checkDeclared(service, byName, path, report);
    (service.calls ?? []).forEach((call, index) => {
      const callee = byName.get(call.service ?? "");
      if (callee !== undefined) checkCall(call, callee, [...path, "calls", index], report);
    });
  }
}

function checkDeclared(
  service: DraftService,
  byName: ReadonlyMap<string, DraftService>,
  path: Path,
  report: Report,
): void {
  const { versions } = service;
  if (versions === undefined) {
    if (service.routes === undefined) return;
    report(
      [...path, "routes"],
      "there are routes to versions, and no versions",
      "declare 'versions', or take them out",
    );
    return;
  }
  for (const key of service.component === true || isDraftJob(service) ? [] : OWN_KEYS) {
    if (service[key] === undefined) continue;
    report([...path, key], `'${key}' stands beside 'versions'`, "move it into each version");
  }
  const seen = new Map<string, number>();
  versions.forEach(({ name }, index) => {
    if (name === undefined) return;
    const at = [...path, "versions", index, "name"];
    const earlier = seen.get(name);
    if (earlier !== undefined) {
      report(at, `two versions are named ${show(name)} (also versions[${String(earlier)}])`, "rename one");
      return;
    }
    seen.set(name, index);
    const workload = versionWorkloadName(service.name ?? "", name);
    if (service.name !== undefined && byName.has(workload)) {
      report(
        at,
        `its workload would be named ${show(workload)}, as a service is`,
        "rename the version or that service",
      );
    }
  });
  const weighted = versions.filter(({ weight }) => weight !== undefined);
  if (weighted.length > 0 && weighted.length < versions.length) {
    const bare = versions.findIndex(({ weight }) => weight === undefined);
    report([...path, "versions", bare, "weight"], "other versions have weights and this one has none", "give it one");
  } else if (weighted.length > 0) {
    const shares = versions.map(({ name, weight }, index) => ({
      name,
      weight,
      at: [...path, "versions", index, "weight"],
    }));
    checkShares(service, shares, [...path, "versions"], report);
  }
  checkRoutes(service, service.routes, [...path, "routes"], report);
}

type Call = NonNullable<DraftService["calls"]>[number];

function checkCall(call: Call, callee: DraftService, path: Path, report: Report): void {
  const name = show(callee.name);
  if (callee.versions === undefined) {
    for (const key of ["weights", "routes"] as const) {
      if (call[key] === undefined) continue;
      report([...path, key], `${name} has no versions`, "declare its 'versions', or take the key out");
    }
    return;
  }
  const known = namesOf(callee);
  if (call.weights !== undefined) {
    const shares = Object.entries(call.weights).map(([version, weight]) => ({
      name: version,
      weight,
      at: [...path, "weights", version],
    }));
    const strangers = shares.filter((share) => !known.includes(share.name));
    for (const { name: stranger, at } of strangers) reportStranger(stranger, callee, at, report);
    if (strangers.length === 0) checkShares(callee, shares, [...path, "weights"], report);
  }
  if (call.routes === undefined) return;
  checkRoutes(callee, call.routes, [...path, "routes"], report);
  for (const wanted of call.ports ?? [callee.ports?.[0]?.name]) {
    const port = callee.ports?.find((candidate) => candidate.name === wanted);
    if (port?.protocol === undefined || carriesRequests(port.protocol)) continue;
    const message = `port ${show(port.name)} speaks tcp, whose connections can't be told apart`;
    report([...path, "routes"], message, "take the routes out (weights work), or declare another call");
  }
}

interface Share {
  readonly name: string | undefined;
  readonly weight: number | undefined;
  readonly at: Path;
}

/** Shares make a whole, and whoever gets one has pods. */
function checkShares(service: DraftService, shares: readonly Share[], path: Path, report: Report): void {
  // What is no percentage has been told.
  if (shares.some(({ weight = -1 }) => !Number.isInteger(weight) || weight < 0 || weight > WHOLE)) return;
  const sum = shares.reduce((total, { weight }) => total + (weight ?? 0), 0);
  if (sum !== WHOLE) {
    report(path, `the weights make ${String(sum)}`, "they are percentages: have them make 100");
  }
  for (const { name, weight, at } of shares) {
    if (weight === 0 || !isEmpty(service, name)) continue;
    const message = `${show(name)} gets ${String(weight)} % of the calls and has no pods (replicas: 0)`;
    report(at, message, "give it pods, or the weight 0");
  }
}

function checkRoutes(
  service: DraftService,
  routes: readonly DraftRoute[] | undefined,
  path: Path,
  report: Report,
): void {
  (routes ?? []).forEach((route, index) => {
    const at = [...path, index];
    const { version } = route;
    if (version === undefined) return;
    if (!namesOf(service).includes(version)) reportStranger(version, service, [...at, "version"], report);
    else if (isEmpty(service, version)) {
      report(
        [...at, "version"],
        `the route leads to ${show(version)}, which has no pods (replicas: 0)`,
        "give it pods",
      );
    }
    const headers = typeof route.headers === "object" && route.headers !== null ? Object.keys(route.headers) : [];
    if (route.methods === undefined && route.paths === undefined && headers.length === 0) {
      report(
        at,
        "the route names nothing, so every request would take it",
        "name paths, methods or headers, or use weights",
      );
    }
  });
}

function reportStranger(version: string, service: DraftService, path: Path, report: Report): void {
  const names = namesOf(service);
  const mend = didYouMean(version, names, `name ${listed(names)}`);
  report(path, `${show(service.name)} has no version ${show(version)}`, mend);
}

function namesOf(service: DraftService): readonly string[] {
  return (service.versions ?? []).flatMap(({ name }) => name ?? []);
}

function isEmpty(service: DraftService, version: string | undefined): boolean {
  return service.versions?.find(({ name }) => name === version)?.replicas === 0;
}
