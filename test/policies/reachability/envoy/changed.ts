import assert from "node:assert/strict";
import { CORE_SCHEMA, dump, load } from "js-yaml";
import type { Mesh } from "../../../../mesh";
import { Reachability, compare, readMesh } from "../../../../policies/reachability/envoy";
import { edit } from "../../support/edit";
import type { Json, JsonObject } from "../../support/edit";
import { declarationOf, objectsOf } from "./rendered";

/** A change of one file of one service: by its path, in which `[name]` may stand for a list's element of that name. */
export interface Change {
  readonly service: string;
  readonly file: string;
  readonly path: string;
  /** Undefined: it is taken out. */
  readonly value?: Json | undefined;
}

/** What is found once files are changed: violations as `kind: text`, and what can't be judged as `can't be judged: …`. */
export function findingsAfter(mesh: Mesh, changes: readonly Change[]): readonly string[] {
  const objects = changes.reduce<readonly JsonObject[]>(
    (before, change) => before.map((object) => (isMeant(object, change) ? applied(object, change) : object)),
    objectsOf(mesh),
  );
  const { sidecars, findings } = readMesh(objects);
  if (sidecars === undefined)
    return findings.map(({ object, path, problem }) => `can't be judged: ${object}, ${path}: ${problem}`);
  return compare(new Reachability(sidecars), declarationOf(mesh)).map(({ kind, text }) => `${kind}: ${text}`);
}

function isMeant({ kind, metadata }: JsonObject, { service, file }: Change): boolean {
  const suffix = /^(ops|chain|wallet|mesh|edge)\.yaml$/.test(file) ? "trust" : "envoy";
  return kind === "ConfigMap" && (metadata as JsonObject).name === `${service}-${suffix}`;
}

function applied(object: JsonObject, { file, path, value }: Change): JsonObject {
  const data = object.data as Record<string, string>;
  if (path === "") {
    const rest = Object.fromEntries(Object.entries(data).filter(([name]) => name !== file));
    return { ...object, data: typeof value === "string" ? { ...rest, [file]: value } : rest };
  }
  const document = load(data[file] ?? assert.fail(file), { schema: CORE_SCHEMA }) as JsonObject;
  const changed = edit(document, numbered(document, path), value);
  return { ...object, data: { ...data, [file]: dump(changed, { noRefs: true }) } };
}

/** The path with numbers in place of names: `resources[inbound]`, `filters[envoy.filters.http.rbac]`. */
function numbered(document: JsonObject, path: string): string {
  let place: Json = document;
  let result = "";
  for (const [step, named, key] of path.matchAll(/\[([^\]"]+)\]|\.?([^.[\]]+)|\["[^"]+"\]/g)) {
    const index: string = named ?? key ?? step.slice(2, -2);
    if (Array.isArray(place)) {
      const list: Json[] = place;
      const found: number = list.findIndex((item) => (item as JsonObject | null)?.name === index);
      const number: number = found >= 0 ? found : Number(index);
      result += `[${String(number)}]`;
      place = list[number] ?? null;
    } else {
      result += step.startsWith(".") || result === "" ? step : `.${index}`;
      place = (place as JsonObject)[index] ?? null;
    }
  }
  return result;
}
