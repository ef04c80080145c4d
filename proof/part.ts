/** Holds what a stack of one part would make against the whole mesh, which is proven: it is exactly that part of it. */
import type { ZoneName } from "../mesh";
import type { Plain } from "../policies/judgement/plain";
import { digestOf } from "../policies/declarations/digest";
import { parseYaml } from "../policies/envoy/files";
import { KubeObject } from "../policies/kubernetes/object";
import { ZONE_NAMESPACE } from "../policies/reachability";
import type { RehearsedResource } from "./rehearsal/resource";

/** A part of the mesh. */
export interface ProvenPart {
  readonly zone: ZoneName;
  /** By which another zone's services are believed: what its stack told. */
  trustIn(zone: ZoneName): { readonly rootsPem: string; readonly revocationsPem: string };
}

/** The part that has what belongs to no zone. */
const SHARED: ZoneName = "mesh";

/**
 * What is wrong with the part, one line each. None: each of its resources is one of the whole mesh, made of the same; all that the whole has in the part's namespace is there;
 * nothing of another part is. In its trust files alone, and in their digests, stands by what other stacks told what the whole would take from its own authorities.
 */
export function partViolations(
  part: ProvenPart,
  whole: readonly RehearsedResource[],
  own: readonly RehearsedResource[],
): readonly string[] {
  const registered = new Map(own.map((resource) => [keyOf(resource), resource]));
  const proven = new Map(whole.map((resource) => [keyOf(resource), resource]));
  const files = new Map(own.map((resource) => [resource, toldFiles(resource, part)]));
  const digests = toldDigests(files);
  return [
    ...own.flatMap((resource) => {
      const twin = proven.get(keyOf(resource));
      const title = KubeObject.titleOf(resource);
      if (twin === undefined)
        return [`${title} is not among what the whole mesh has, so it is not proven; declare it there`];
      const owner = ownerOf(resource);
      if (owner !== undefined && owner !== part.zone)
        return [`${title} belongs to part ${owner}, whose stack makes it; take it out of part ${part.zone}`];
      const told = new Set([...(files.get(resource) ?? []), ...toldAnnotations(resource, part, digests)]);
      return differences(resource, twin, told).map(
        (path) => `${title}: ${path} is not what is proven of the whole mesh`,
      );
    }),
    ...whole
      .filter((resource) => ownerOf(resource) === part.zone && !registered.has(keyOf(resource)))
      .map(
        (resource) =>
          `${KubeObject.titleOf(resource)} is missing, which part ${part.zone} has; declare it with ServiceMesh`,
      ),
  ].map((line) => `part ${part.zone}: ${line}`);
}

function keyOf({ type, name }: RehearsedResource): string {
  return `${type} ${name}`;
}

/** The part that makes a Kubernetes object; undefined for what is none. */
function ownerOf(resource: RehearsedResource): ZoneName | undefined {
  const object = KubeObject.of(resource);
  if (object === undefined) return undefined;
  const namespace = object.namespace.isAbsent ? "" : (object.namespace.text() ?? "");
  return namespace.startsWith(ZONE_NAMESPACE) ? (namespace.slice(ZONE_NAMESPACE.length) as ZoneName) : SHARED;
}

/** Paths at which a resource is not as the whole has it. */
function differences(own: RehearsedResource, whole: RehearsedResource, told: ReadonlySet<string>): readonly string[] {
  const paths = differing(own.properties.plain, whole.properties.plain).filter((path) => !told.has(path));
  const sources = own.properties.keys().filter((property) => {
    const [ours, theirs] = [own, whole].map((resource) => namesOf(resource, property));
    // Of what other stacks told nothing is the source.
    const isTold = [...told].some((path) => path.startsWith(property));
    return isTold ? ours?.some((name) => theirs?.includes(name) !== true) : ours?.join() !== theirs?.join();
  });
  return [...paths, ...sources.map((property) => `what ${property} is made of`)];
}

/** Files of a `<service>-trust` in which stands exactly what the stack of the file's zone told. */
function toldFiles(resource: RehearsedResource, part: ProvenPart): ReadonlySet<string> {
  const object = KubeObject.of(resource);
  if (object?.groupKind !== "core/ConfigMap" || object.name?.endsWith("-trust") !== true) return new Set();
  const data = resource.properties.at("data");
  const files = data.entries().filter(([file, entry]) => {
    const zone = file.replace(/\.yaml$/, "") as ZoneName;
    if (entry.isUnknown || zone === part.zone) return false;
    const context = parseYaml(entry).at("resources").items()[0]?.at("validation_context");
    const { rootsPem, revocationsPem } = part.trustIn(zone);
    return (
      context?.at("trusted_ca", "inline_string").is(rootsPem) === true &&
      context.at("crl", "inline_string").is(revocationsPem)
    );
  });
  return new Set(files.map(([file]) => `data["${file}"]`));
}

/** Digests of the files by which other zones are trusted, where what stands in them is what their stacks told. */
function toldDigests(
  files: ReadonlyMap<RehearsedResource, ReadonlySet<string>>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const digests = new Map<string, Set<string>>();
  for (const [resource, told] of files) {
    if (told.size === 0) continue;
    for (const [file, entry] of resource.properties.at("data").entries()) {
      if (!told.has(`data["${file}"]`)) continue;
      const zone = file.replace(/\.yaml$/, "");
      digests.set(zone, (digests.get(zone) ?? new Set()).add(digestOf(entry.text() ?? "")));
    }
  }
  return digests;
}

/** Annotations of a declaration in which stands the digest of the file by which the part trusts another zone; any, where it doesn't. */
function toldAnnotations(
  resource: RehearsedResource,
  part: ProvenPart,
  digests: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  const object = KubeObject.of(resource);
  if (object?.groupKind !== "core/ConfigMap" || !/^lucid-declared-(trusted|done)$/.test(object.name ?? "")) return [];
  const annotations = object.metadata
    .at("annotations")
    .entries()
    .filter(([name, digest]) => {
      const [, zone] = /^lucid\.internal\/trust-([a-z]+)-digest$/.exec(name) ?? [];
      if (zone === undefined || zone === part.zone || digest.isUnknown) return false;
      return [...(digests.get(zone) ?? [])].every((expected) => digest.is(expected));
    });
  return annotations.map(([name]) => `metadata.annotations["${name}"]`);
}

function namesOf(resource: RehearsedResource, property: string): readonly string[] {
  return [...new Set(resource.origins(property).map(keyOf))].sort();
}

/** Paths at which two values differ, as messages write them. */
function differing(one: Plain, other: Plain, path = ""): readonly string[] {
  if (one === other) return [];
  if (isMap(one) && isMap(other)) {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    return keys.flatMap((key) => differing(one[key] ?? null, other[key] ?? null, pathTo(path, key)));
  }
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length)
    return one.flatMap((item: Plain, index) => differing(item, other[index] as Plain, `${path}[${String(index)}]`));
  return [path];
}

function pathTo(path: string, key: string): string {
  if (!/^[A-Za-z_]\w*$/.test(key)) return `${path}["${key}"]`;
  return path === "" ? key : `${path}.${key}`;
}

function isMap(value: Plain): value is Readonly<Record<string, Plain>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
