import type { Ceiling } from "../ceiling";
import { ISSUING_POLICY } from "../issuing/names";
import type { Findings } from "../judgement/finding";
import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";
import { KubeObject } from "../kubernetes/object";
import { podTemplates } from "../kubernetes/pods";
import { objectsRead } from "../kubernetes/references";
import { isInfrastructure, partyOf } from "../kubernetes/workload";

type Foundation = readonly [groupKind: string, suffix: string];

/** By which a pod is its service. */
const ACCOUNT: Foundation = ["core/ServiceAccount", ""];
/** What a sidecar and its pod stand on, by kind and by what follows the service's name. */
const FOUNDATIONS: readonly Foundation[] = [ACCOUNT, ["core/ConfigMap", "-envoy"], ["core/ConfigMap", "-trust"]];
/** As those, where no issuer makes it: for whom one does stands in the plan, and is judged by `issuers-least-privilege`. */
const CERTIFICATE: Foundation = ["core/Secret", "-tls"];

/** What a stack that joins a zone may make there, beside pods; all else decides who somebody is, or whom he reaches. */
const BELONGINGS: readonly string[] = [
  "policy/PodDisruptionBudget",
  "core/ConfigMap",
  "core/Secret",
  "core/Service",
  "core/PersistentVolumeClaim",
];

/** ConfigMap with the cluster's token keys, which every sidecar reads. */
const TOKEN_KEYS = "mesh-tokens";

const OF_THE_MESH = "take it out: the mesh's own stack makes it from its document";

type Leave = Pick<Ceiling, "members" | "infrastructure" | "joined">;

/**
 * No rule can judge what isn't in the plan, so a plan has either all of it or leave to have a part. A plan *governs* a zone where it makes its namespace:
 * then the objects that its pods' sidecars read stand in it too, and are judged. In any other zone it *joins*: it brings the pods of members that the
 * ceiling lists as `joined`, whose identity, configuration and isolation are judged where the zone is governed, and nothing that could change those.
 */
export function governedZones(resources: readonly StackResource[], ceiling: Leave): StackFinding[] {
  const objects = resources.flatMap((resource) => {
    const object = KubeObject.of(resource);
    return object === undefined ? [] : [{ resource, object }];
  });
  const named = new Set<string>();
  const governed = new Set<string>();
  const issued = new Set<string>();
  for (const { resource, object } of objects) {
    // What can't be told is found where the object itself is judged, and founds nothing.
    findingsIn(resource, () => {
      const zone = object.zone(ceiling);
      if (zone === undefined) return;
      if (object.groupKind === "core/Namespace") governed.add(zone);
      else named.add(`${zone}/${object.groupKind}/${object.name ?? ""}`);
      for (const service of issuedBy(object)) issued.add(`${zone}/${service}`);
    });
  }
  const joins = objects.some(({ resource, object }) => {
    let elsewhere = false;
    findingsIn(resource, () => {
      const zone = object.zone(ceiling);
      elsewhere = object.isNamespaced && zone !== undefined && !governed.has(zone);
    });
    return elsewhere;
  });
  return objects.flatMap(({ resource, object }) =>
    findingsIn(resource, (_, findings) => {
      if (!object.isNamespaced) {
        if (joins && object.groupKind !== "core/Namespace") judgeClusterWide(object, findings);
        return;
      }
      const zone = object.zone(ceiling);
      if (zone === undefined) return;
      if (governed.has(zone)) judgeFoundations(object, zone, { named, issued }, ceiling, findings);
      else judgeJoining(object, zone, ceiling, findings);
    }),
  );
}

/**
 * In a zone that the plan governs: what a pod's sidecar reads is in the plan. A Deployment that is to have no pods needs no account (a revoked service's):
 * without one Kubernetes makes none.
 */
function judgeFoundations(
  object: KubeObject,
  zone: string,
  { named, issued }: { readonly named: ReadonlySet<string>; readonly issued: ReadonlySet<string> },
  ceiling: Leave,
  findings: Findings,
): void {
  const idle = object.groupKind === "apps/Deployment" && object.spec.at("replicas").is(0);
  const needed = idle ? FOUNDATIONS.filter((foundation) => foundation !== ACCOUNT) : FOUNDATIONS;
  for (const template of podTemplates(object)) {
    if (isInfrastructure(object, template, ceiling)) continue;
    const service = template.spec.at("serviceAccountName").text() ?? "";
    const all = idle || issued.has(`${zone}/${service}`) ? needed : [...needed, CERTIFICATE];
    const missing = all.filter(([kind, suffix]) => !named.has(`${zone}/${kind}/${service}${suffix}`));
    const list = missing.map(([kind, suffix]) => `${kind.slice(kind.indexOf("/") + 1)} ${service}${suffix}`);
    findings.require(
      missing.length === 0,
      "",
      `its pods stand on ${list.join(", ")}, which the plan does not have, so nobody judges what their sidecar reads`,
      "declare the service with MeshService, which makes them",
    );
  }
}

/** Services for which a zone's issuer makes certificates. */
function issuedBy(object: KubeObject): readonly string[] {
  if (object.groupKind !== "core/ConfigMap" || !object.metadata.at("name").is(ISSUING_POLICY)) return [];
  return (object.body.at("data", "services").text() ?? "").split("\n").filter((service) => service !== "");
}

/** In a zone that the plan does not govern: pods of members that may join, and what is theirs by its name. */
function judgeJoining(object: KubeObject, zone: string, ceiling: Leave, findings: Findings): void {
  const templates = podTemplates(object);
  if (templates.length === 0 && !BELONGINGS.includes(object.groupKind)) {
    findings.add(
      "",
      `a ${object.kind} decides who is who in zone ${zone} or who reaches whom, and the plan does not govern that zone`,
      OF_THE_MESH,
    );
    return;
  }
  for (const template of templates) {
    const party = partyOf(object, template, ceiling) ?? zone;
    if (!mayJoin(party, ceiling)) {
      findings.add(
        "",
        `the plan brings pods of ${party} and not the zone that they stand in, so nobody judges what their sidecar reads and who reaches them`,
        `deploy them with their zone; or declare the service with \`joinedBy\` in the mesh's document, and have the ceiling's owner list ${party} under \`joined\``,
      );
      return;
    }
    for (const name of objectsRead(template.spec)) {
      const owner = ownerOf(name.text() ?? "", zone, ceiling);
      findings.require(
        owner === party || name.is(TOKEN_KEYS),
        name,
        `pods of ${party} read ${name.shown()}, which is not theirs`,
        "name what they read for their service: `<service>-…`",
      );
    }
  }
  judgeName(object, zone, ceiling, findings);
}

/** An object of another's name would be written over his. */
function judgeName(object: KubeObject, zone: string, ceiling: Leave, findings: Findings): void {
  const name = object.name ?? "";
  const owner = ownerOf(name, zone, ceiling);
  findings.require(
    owner !== undefined && mayJoin(owner, ceiling),
    "metadata.name",
    `\`${name}\` bears ${owner === undefined ? "no member's name" : `the name of ${owner}`}`,
    "name it for the member that this stack brings: `<service>` or `<service>-…`",
  );
  findings.require(
    ![...FOUNDATIONS, CERTIFICATE].some(
      ([kind, suffix]) => object.groupKind === kind && `${zone}/${name}` === `${owner ?? ""}${suffix}`,
    ),
    "metadata.name",
    `the sidecar of ${owner ?? ""} reads \`${name}\`, and the plan does not govern that zone`,
    OF_THE_MESH,
  );
}

/** The member whose name an object's name is or begins with: of several the longest. */
function ownerOf(name: string, zone: string, ceiling: Leave): string | undefined {
  const owners = (ceiling.members[zone] ?? []).filter((member) => name === member || name.startsWith(`${member}-`));
  const longest = owners.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? undefined : `${zone}/${longest}`;
}

/** Rights over all namespaces are rights in the zones. */
function judgeClusterWide(object: KubeObject, findings: Findings): void {
  findings.add(
    "",
    `a ${object.kind} holds in every zone, and the plan does not govern those that it joins`,
    "take it out, or deploy it by a stack that joins no zone",
  );
}

function mayJoin(party: string, ceiling: Leave): boolean {
  return Object.hasOwn(ceiling.joined, party);
}
