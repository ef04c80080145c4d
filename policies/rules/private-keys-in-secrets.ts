import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { Resource, ResourceRule } from "../judgement/rule";
import { KubeObject, kindOf } from "../kubernetes/object";
import { allContainers, podTemplates } from "../kubernetes/pods";
import { CONSUL_TRUST_SUFFIX } from "./envoy-configuration";
import { keyMaterialIn, namesSecret } from "./key-material";

/** Packages whose resources make keys; the engine keeps their state encrypted. Providers log in with what their operator gave them. */
const MAKERS = ["tls:", "random:", "pulumi:providers:"];
/** Annotation of a `<service>-trust`: when the certificate beside it runs out. Known during the update alone, and an instant and nothing else. */
const CERTIFICATE_END = "lucid.internal/certificate-not-after";
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const MEND = "keep it in a Secret, mounted as a file by the container that needs it";

/** A private key lies in a Secret, and nowhere else where it would be read by whoever may read configuration. */
export const privateKeysInSecrets: ResourceRule = {
  name: "private-keys-in-secrets",
  description:
    "No private key, seed or token outside a Kubernetes Secret: not in ConfigMaps, variables, arguments, annotations or components' inputs.",
  severity: "critical",
  remediation: "Put keys into a Secret and mount it; pass components digests, not keys.",
  uses: [],
  concerns: (type) => !MAKERS.some((prefix) => type.startsWith(prefix)),
  judge(resource, _ceiling, findings) {
    const object = KubeObject.of(resource);
    for (const leaf of judgedParts(resource, object).flatMap((part) => part.leaves())) {
      if (leaf.isUnknown) judgeUnknown(leaf, resource, findings);
      else if (leaf.isText) judgeText(leaf, findings);
    }
    judgeKeys(resource, findings);
    judgeEnd(resource, findings);
    if (object !== undefined) judgeVariables(object, findings);
  },
};

/** Everything but the data of a Secret, whose place it is. */
function judgedParts(resource: Resource, object: KubeObject | undefined): Field[] {
  if (object?.groupKind !== "core/Secret") return [resource.properties];
  return resource.properties
    .entries()
    .filter(([key]) => key !== "data" && key !== "stringData")
    .map(([, field]) => field);
}

function judgeText(leaf: Field, findings: Findings): void {
  const what = keyMaterialIn(leaf.text() ?? "");
  if (what !== undefined) findings.add(leaf, `it holds ${what}`, MEND);
}

/** The names of a map's entries are no place for a key either. */
function judgeKeys(resource: Resource, findings: Findings): void {
  const object = KubeObject.of(resource);
  for (const path of [["data"], ["metadata", "annotations"], ["metadata", "labels"]]) {
    if (object?.body.at(...path).isAbsent !== false) continue;
    for (const key of object.body.at(...path).keys()) {
      const what = keyMaterialIn(key);
      if (what !== undefined) findings.add(path.join("."), `the name of an entry is ${what}`, MEND);
    }
  }
}

/** What may be unknown because it is an instant is one. */
function judgeEnd(resource: Resource, findings: Findings): void {
  if (kindOf(resource.type) === undefined) return;
  const end = resource.properties.at("metadata", "annotations", CERTIFICATE_END);
  findings.require(
    end.isAbsent || end.isUnknown || INSTANT.test(end.text() ?? ""),
    end,
    "it is no instant",
    "write when the certificate runs out, as 2027-01-31T00:00:00Z, or take it out",
  );
}

/**
 * What is unknown at preview could be a key, so what may be is a closed list: roots in a `<service>-trust` or `<service>-consul-trust` and images (that they come from certificates
 * and from this stack's builds is proven by `stack-invariants`), and in annotations digests and a certificate's end. Once they are known, before the object is created, this rule
 * judges them too.
 */
function judgeUnknown(leaf: Field, resource: Resource, findings: Findings): void {
  if (kindOf(resource.type) === undefined) return;
  const isImage = leaf.path.endsWith("].image");
  const isDigest = /\.annotations(\[".*-digest"\]|\.[\w-]*-digest)$/.test(leaf.path);
  const isEnd = leaf.path === `metadata.annotations["${CERTIFICATE_END}"]`;
  if (isImage || isDigest || isEnd || isTrustFile(resource, leaf.path)) return;
  findings.add(
    leaf,
    "it can't be known at preview, so it could be a key",
    "give it as a plain value, or keep it in a Secret",
  );
}

/** Whether a path holds root certificates alone: a zone's file of a `<service>-trust`, or the `ca.crt` of a `<service>-consul-trust`. */
export function isTrustFile(resource: Resource, path: string): boolean {
  if (kindOf(resource.type)?.kind !== "ConfigMap") return false;
  const field = resource.properties.at("metadata", "name");
  const name = field.isUnknown ? "" : (field.text() ?? "");
  return name.endsWith(CONSUL_TRUST_SUFFIX)
    ? path === 'data["ca.crt"]'
    : name.endsWith("-trust") && /^data\["[a-z]+\.yaml"\]$/.test(path);
}

function judgeVariables(object: KubeObject, findings: Findings): void {
  for (const template of podTemplates(object)) {
    for (const { field } of allContainers(template.spec)) {
      for (const variable of field.at("env").items()) {
        const value = variable.at("value");
        if (value.isEmpty || !namesSecret(variable.at("name").text() ?? "")) continue;
        const isPath = !value.isUnknown && (value.text() ?? "").startsWith("/");
        findings.require(isPath, value, "the variable holds a secret in clear text", MEND);
      }
    }
  }
}
