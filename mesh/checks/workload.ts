/** What runs as a service: an application by its image, a component of the package, or what another stack brings. */
import { draftServices, isMap, type Draft, type DraftService } from "../document/draft";
import { show, type Path, type Report } from "../document/problems";
import { DEFAULT_RESOURCES } from "../schema";
import { isDraftExternal } from "./external";
import { COMPONENTS } from "./names";

const APPLICATION_KEYS = ["image", "command", "args", "env", "resources", "versions", "workload"] as const;

/** What the stack that brings the pods says, so that the document can't. */
const JOINING_KEYS = [...APPLICATION_KEYS, "version"] as const;

/** An application has a pinned image and sane resources; a component renders its own, and a stack that joins brings its own. */
export function checkWorkloads(draft: Draft, raw: (path: Path) => unknown, report: Report): void {
  for (const { service, path } of draftServices(draft)) {
    if (service.name !== undefined && COMPONENTS.has(service.name)) {
      for (const key of [...APPLICATION_KEYS, "joinedBy", "external"] as const) {
        if (service[key] === undefined) continue;
        report([...path, key], `a component renders this pod, so '${key}' says nothing`, "take it out");
      }
      continue;
    }
    if (raw([...path, "joinedBy"]) !== undefined && !isDraftExternal(service)) {
      for (const key of JOINING_KEYS) {
        if (service[key] === undefined) continue;
        const message = `the stack that joins brings the pods, so '${key}' says nothing`;
        report([...path, key], message, "say it there, and take it out here");
      }
      continue;
    }
    if (isDraftExternal(service)) continue;
    if (raw([...path, "versions"]) === undefined) checkApplication(service, path, raw, report);
    (service.versions ?? []).forEach((version, index) => {
      checkApplication(version, [...path, "versions", index], raw, report);
    });
  }
}

type Application = Pick<DraftService, "image" | "resources">;

function checkApplication(application: Application, path: Path, raw: (path: Path) => unknown, report: Report): void {
  if (application.image !== undefined) checkImage(application.image, [...path, "image"], report);
  else if (raw([...path, "image"]) === undefined && isMap(raw(path))) {
    report([...path, "image"], "an application needs its image", "name it with a tag or a digest");
  }
  const request = bytes(application.resources?.requests?.memory ?? DEFAULT_RESOURCES.requests.memory);
  const limit = bytes(application.resources?.limits?.memory ?? DEFAULT_RESOURCES.limits.memory);
  if (request !== undefined && limit !== undefined && request > limit) {
    const at = [...path, "resources", "limits", "memory"];
    report(at, "the memory limit is lower than the request", "raise the limit or lower the request");
  }
}

function checkImage(image: string, path: Path, report: Report): void {
  if (!/^[a-z0-9][a-z0-9._:/-]*[a-z0-9](:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$/.test(image)) {
    report(path, `${show(image)} is no image`, "write it as 'name:tag' or 'name@sha256:…'");
    return;
  }
  const digest = image.includes("@sha256:");
  const tag = /:([^/:@]+)(@|$)/.exec(image.replace(/@sha256:.*$/, ""))?.[1];
  if (!digest && tag === undefined) report(path, `the image ${show(image)} isn't pinned`, "add a tag or a digest");
  if (!digest && tag === "latest") report(path, "the tag 'latest' pins nothing", "name a version or a digest");
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

function bytes(quantity: string): number | undefined {
  const match = /^(\d+)(Ki|Mi|Gi|K|M|G)?$/.exec(quantity);
  if (match === null) return undefined;
  return Number(match[1]) * (UNITS[match[2] ?? ""] ?? 1);
}
