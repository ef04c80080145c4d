/** Datacenters: links lead to others, services run and stand in where there is one, and every call is answered. */
import { answering, isLinked, runsIn, STAYING_PLANE } from "../datacenters/placement";
import { draftServices, servicesByName, type Draft, type DraftService } from "../document/draft";
import { show, type Path, type Report } from "../document/problems";
import { didYouMean, listed } from "../document/suggest";
import { ZONES } from "../model";
import { WELL_KNOWN } from "../wire";
import { isDraftJob } from "./jobs";
import { COMPONENTS } from "./names";

/** Labels that Consul looks for between a service's name and its domain. */
const CONSULS = [
  "service",
  "node",
  "query",
  "addr",
  "virtual",
  "ingress",
  "connect",
  "dc",
  "peer",
  "ns",
  "ap",
] as const;

/** Everything that is said of datacenters. */
export function checkDatacenters(draft: Draft, raw: (path: Path) => unknown, report: Report): void {
  const { datacenters } = draft;
  const isSeveral = raw(["datacenters"]) !== undefined;
  checkGateway(draft, isSeveral, report);
  if (datacenters === undefined) {
    if (!isSeveral) checkNone(draft, report);
    return;
  }
  const names = Object.keys(datacenters);
  const taken = new Map<string, string>();
  for (const [name, { gateway, calls }] of Object.entries(datacenters)) {
    const path = ["datacenters", name];
    const meaning = [...ZONES, ...CONSULS].find((each) => each === name);
    if (meaning !== undefined) report(path, `the name ${show(name)} has another meaning in names`, "take another");
    (gateway?.addresses ?? []).forEach((address, index) => {
      if (address === undefined) return;
      const other = taken.get(address);
      if (other === undefined) taken.set(address, name);
      else
        report([...path, "gateway", "addresses", index], `${show(address)} is that of ${other} too`, "write its own");
    });
    const linked = new Set<string>();
    (calls ?? []).forEach(({ datacenter }, index) => {
      if (datacenter === undefined) return;
      const at = [...path, "calls", index, "datacenter"];
      if (datacenter === name) report(at, `${show(name)} is linked to itself`, "take the link out");
      else if (linked.has(datacenter)) report(at, `${show(datacenter)} is linked twice`, "say it once");
      else checkKnown(datacenter, names, at, report);
      linked.add(datacenter);
    });
  }
  for (const { service, path } of draftServices(draft)) checkPlaces(service, path, names, report);
  checkAnswered(draft, names, report);
}

/** In a document of one datacenter, keys that are about several say nothing. */
function checkNone(draft: Draft, report: Report): void {
  for (const { service, path } of draftServices(draft)) {
    for (const key of ["datacenters", "failover"] as const) {
      if (service[key] === undefined) continue;
      report(
        [...path, key],
        `the document has no datacenters, so '${key}' says nothing`,
        "declare them, or take it out",
      );
    }
  }
}

function checkGateway(draft: Draft, isSeveral: boolean, report: Report): void {
  const gateway = draftServices(draft).find(({ service }) => service.name === WELL_KNOWN.gateway);
  if (gateway === undefined) {
    if (!isSeveral) return;
    const mend = `declare '${WELL_KNOWN.gateway}' with 'plane: edge' and 'component: true', and list it in zones.edge.members`;
    report(["datacenters"], "nothing takes calls from one datacenter to another", mend);
    return;
  }
  const { service, path } = gateway;
  if (!isSeveral) {
    report([...path, "name"], "the document has no datacenters, so there is nothing to be a gateway of", "take it out");
  }
  for (const key of ["ports", "calls", "health"] as const) {
    const said = service[key];
    if (said === undefined || (Array.isArray(said) && said.length === 0)) continue;
    const message = `the gateway passes on the calls of others, so '${key}' says nothing`;
    report([...path, key], message, "take it out");
  }
  for (const { service: caller, path: at } of draftServices(draft)) {
    (caller.calls ?? []).forEach((call, index) => {
      if (call.service !== WELL_KNOWN.gateway) return;
      const mend = "take the call out; call the service that is meant";
      report([...at, "calls", index, "service"], "the gateway answers no call itself", mend);
    });
  }
}

/** Each service runs, and stands in, where there is a datacenter, and stands in only where it runs. */
function checkPlaces(service: DraftService, path: Path, names: readonly string[], report: Report): void {
  for (const key of ["datacenters", "failover"] as const) {
    const places = service[key];
    if (places === undefined) continue;
    const refusal = refusalOf(service, key);
    if (refusal !== undefined) {
      report([...path, key], ...refusal);
      continue;
    }
    places.forEach((name, index) => {
      if (name === undefined) return;
      const at = [...path, key, index];
      if (places.indexOf(name) !== index) report(at, `${show(name)} stands twice`, "write it once");
      else if (!names.includes(name)) checkKnown(name, names, at, report);
      else if (!runsIn(service, name)) {
        report(
          at,
          `${show(service.name)} doesn't run in ${show(name)}`,
          "add it to 'datacenters', or take it out here",
        );
      }
    });
  }
}

function refusalOf(
  service: DraftService,
  key: "datacenters" | "failover",
): [message: string, mend: string] | undefined {
  if (COMPONENTS.has(service.name ?? ""))
    return [`each datacenter has its own ${show(service.name)}, so '${key}' says nothing`, "take it out"];
  if (key === "datacenters") return undefined;
  if (service.plane === STAYING_PLANE)
    return ["nothing of Wallet leaves its datacenter, which is an isolated network", "take it out"];
  if (isDraftJob(service)) return ["a job runs to its end and nobody calls it", "take it out"];
  if (service.versions !== undefined)
    return ["versions are told apart in their own datacenter alone", "take it out, or declare a service for each"];
  return undefined;
}

/** In each datacenter in which a caller runs, somebody answers it; and each failover is reached by somebody. */
function checkAnswered(draft: Draft, names: readonly string[], report: Report): void {
  const links = draft.datacenters ?? {};
  const byName = servicesByName(draft);
  for (const { service, path } of draftServices(draft)) {
    (service.calls ?? []).forEach((call, index) => {
      const callee = call.service === undefined ? undefined : byName.get(call.service);
      if (callee === undefined || call.service === service.name) return;
      for (const name of names.filter((each) => runsIn(service, each))) {
        if (answering(service, callee, name, links).length > 0) continue;
        const message = `${show(service.name)} runs in ${show(name)}, where nobody answers for ${show(call.service)}`;
        report([...path, "calls", index, "service"], message, mendOf(service, callee, name));
      }
    });
    const asked = draft.authentication?.service;
    if (asked !== undefined && asked === service.name && service.datacenters !== undefined) {
      const mend = "take 'datacenters' out: it answers for the callers of each";
      report([...path, "datacenters"], `${show(asked)} is asked about callers everywhere`, mend);
    }
    (service.failover ?? []).forEach((name, index) => {
      if (name === undefined || !names.includes(name) || refusalOf(service, "failover") !== undefined) return;
      if (names.some((from) => from !== name && isLinked(links, from, name))) return;
      const mend = `declare a link to it under 'calls' of another datacenter, or take it out`;
      report([...path, "failover", index], `no link leads to ${show(name)}`, mend);
    });
  }
}

function mendOf(caller: DraftService, callee: DraftService, datacenter: string): string {
  if (caller.plane === STAYING_PLANE || callee.plane === STAYING_PLANE)
    return `run it there: calls from and to ${STAYING_PLANE} stay in their datacenter`;
  const others = (callee.failover ?? []).filter((name) => name !== undefined);
  return others.length === 0
    ? "run it there, or say which datacenters answer for it ('failover')"
    : `link ${datacenter} to ${listed(others)}, or run it there`;
}

function checkKnown(name: string, names: readonly string[], path: Path, report: Report): void {
  if (names.includes(name)) return;
  report(path, `there is no datacenter ${show(name)}`, didYouMean(name, names, `name ${listed(names)}`));
}
