import type { Ceiling } from "../ceiling";
import { issuerOf } from "../issuing/names";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { isPinned, parseImage } from "../kubernetes/image";
import { KubeObject } from "../kubernetes/object";
import { allContainers, makesPods, podTemplates } from "../kubernetes/pods";

/** Containers whose image the stack builds itself: its reference may be known only once it is pushed. `stack-invariants` proves where it comes from. */
const OWN_IMAGE_CONTAINERS: readonly string[] = ["start-gate"];
/** Workloads all of whose containers may run such an image. */
const OWN_IMAGE_WORKLOADS: readonly string[] = [
  "mesh-controller",
  "etcd-access",
  ...["ops", "chain", "wallet", "mesh", "edge"].map(issuerOf),
];

/** What runs is what was reviewed: an exact version or digest, of a listed repository. */
export const imagesPinned: ResourceRule = {
  name: "images-pinned",
  description: "Every image is of a listed repository, and names one build by exact version or digest.",
  severity: "high",
  remediation: "Name an exact version (or a digest) of an image whose repository the ceiling lists.",
  uses: ["images"],
  takesExceptions: true,
  concerns: (type) => makesPods(type) || type.startsWith("docker:"),
  judge(resource, ceiling, findings) {
    if (resource.type.startsWith("docker:")) {
      judgeBuilt(resource.type, resource.properties, ceiling, findings);
      return;
    }
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    for (const template of podTemplates(object)) {
      for (const { field } of allContainers(template.spec)) {
        if (field.at("image").isUnknown && mayBeUnknown(object, field)) continue;
        judgeImage(field.at("image"), ceiling, findings);
      }
    }
  },
};

/** Whether a container is one of those whose image may be unknown at preview. */
function mayBeUnknown(object: KubeObject, container: Field): boolean {
  return container.at("name").isOneOf(OWN_IMAGE_CONTAINERS) || OWN_IMAGE_WORKLOADS.includes(object.name ?? "");
}

function judgeBuilt(type: string, properties: Field, ceiling: Ceiling, findings: Findings): void {
  if (type === "docker:index/image:Image") judgeImage(properties.at("imageName"), ceiling, findings);
}

function judgeImage(image: Field, ceiling: Ceiling, findings: Findings): void {
  const reference = parseImage(image.text() ?? "");
  if (reference === undefined) {
    findings.add(
      image,
      `the image is ${image.isAbsent ? "missing" : "not a well-formed reference"}`,
      "name a repository and an exact version",
    );
    return;
  }
  findings.require(
    ceiling.images.includes(reference.repository),
    image,
    `${image.shown()} is of a repository that is not listed`,
    `take one of the ceiling's repositories, or have its owner list ${reference.repository}`,
  );
  findings.require(
    isPinned(reference),
    image,
    `${image.shown()} does not name one build`,
    "give it an exact version such as 1.66.2, or a digest",
  );
}
