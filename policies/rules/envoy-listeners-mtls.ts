import { checkBootstrap } from "../envoy/bootstrap";
import { parseYaml } from "../envoy/files";
import { checkListeners } from "../envoy/listeners";
import { closedKeys } from "../envoy/shape";
import { checkTokens, checkTokensElsewhere } from "../envoy/token";
import type { Scope } from "../envoy/scope";
import { linkTo } from "../ceiling/links";
import type { Field } from "../judgement/field";
import { digestOfTokens, tokenDatacenter } from "../reachability/envoy";
import type { ResourceRule } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";
import { sidecarData } from "./envoy-configuration";

const FILES = [
  "bootstrap.yaml",
  "listeners.yaml",
  "clusters.yaml",
  "certificate.yaml",
  "credential.yaml",
  "tokens.yaml",
];

/** What listens in a sidecar is what the table of listeners lists, and what takes calls asks for a certificate of an exact identity. */
export const envoyListenersMtls: ResourceRule = {
  name: "envoy-listeners-mtls",
  description:
    "Every listener of a sidecar but health and loopback ones demands a client certificate (TLS 1.3, one zone's roots, exact identities) and has RBAC.",
  severity: "critical",
  remediation: "Render the sidecar's files with envoy/; declare who calls whom in mesh.yaml.",
  uses: ["members", "infrastructure", "externals", "edges", "outside", "datacenter", "links", "authenticators"],
  concerns: (type) => isKind(type, "ConfigMap"),
  judge(resource, ceiling, findings) {
    const sidecar = sidecarData(resource, ceiling, findings);
    if (sidecar === undefined) {
      judgeName(
        resource.properties.at("data").keys(),
        KubeObject.of(resource)?.concernsMesh ?? false,
        (problem, mend) => {
          findings.add("data", problem, mend);
        },
      );
      return;
    }
    if (sidecar.kind !== "configuration") return;
    const elsewhere = sidecar.data.entries().filter(([file]) => tokenDatacenter(file) !== undefined);
    closedKeys(sidecar.data, [...FILES, ...elsewhere.map(([file]) => file)], findings);
    for (const [file, entry] of elsewhere)
      judgeTokensElsewhere(parseYaml(entry), tokenDatacenter(file) ?? "", sidecar.scope);
    for (const file of FILES) {
      findings.require(
        sidecar.data.has(file),
        sidecar.data.at(file),
        "the sidecar's configuration lacks a file",
        "render it with envoy/",
      );
    }
    if (sidecar.data.has("bootstrap.yaml")) checkBootstrap(parseYaml(sidecar.data.at("bootstrap.yaml")), sidecar.scope);
    if (sidecar.data.has("tokens.yaml")) checkTokens(parseYaml(sidecar.data.at("tokens.yaml")), sidecar.scope);
    if (sidecar.data.has("listeners.yaml")) checkListeners(parseYaml(sidecar.data.at("listeners.yaml")), sidecar.scope);
  },
};

/** Whose tokens are believed of callers elsewhere is the ceiling's to say: whoever brought other keys could be anybody there. */
function judgeTokensElsewhere(file: Field, datacenter: string, scope: Scope): void {
  const { findings, ceiling } = scope;
  checkTokensElsewhere(file, datacenter, scope);
  const [provider] = file
    .at("resources")
    .items()
    .map((extension) => extension.at("typed_config", "providers", "cluster"));
  if (provider === undefined) return;
  const digest = digestOfTokens(
    provider.at("issuer").text() ?? "",
    provider.at("local_jwks", "inline_string").text() ?? "",
  );
  findings.require(
    linkTo(datacenter, ceiling)?.tokens.includes(digest) === true,
    provider,
    `tokens of datacenter ${datacenter} are believed by the keys ${digest}, which the ceiling does not list`,
    "declare the keys of its cluster, or have the ceiling's owner list their digest under tokens of the link",
  );
}

/** A configuration under another name would be judged by nobody. */
function judgeName(
  files: readonly string[],
  concernsMesh: boolean,
  report: (problem: string, mend: string) => void,
): void {
  const found = files.filter(
    (file) =>
      ["bootstrap.yaml", "listeners.yaml", "clusters.yaml", "tokens.yaml"].includes(file) ||
      tokenDatacenter(file) !== undefined,
  );
  if (concernsMesh && found.length > 0) {
    report(`${found.join(", ")} in a ConfigMap that is no sidecar's`, "name the ConfigMap <service>-envoy");
  }
}
