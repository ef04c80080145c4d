import { checkClusters } from "../envoy/clusters";
import { parseYaml } from "../envoy/files";
import { checkCertificate, checkTrust } from "../envoy/trust";
import { checkCredential } from "../envoy/token";
import type { ResourceRule } from "../judgement/rule";
import { isKind } from "../kubernetes/object";
import { sidecarData } from "./envoy-configuration";

/** What leaves a pod goes by mutual TLS to an exact identity, under the roots of that identity's zone. */
export const envoyUpstreamsMtls: ResourceRule = {
  name: "envoy-upstreams-mtls",
  description:
    "A sidecar sends off its pod by mutual TLS 1.3 alone, to exact identities that the ceiling allows; its trust files hold one zone's roots each.",
  severity: "critical",
  remediation: "Render the sidecar's files with envoy/; declare the call in mesh.yaml.",
  uses: ["members", "infrastructure", "externals", "edges", "outside", "datacenter", "links"],
  concerns: (type) => isKind(type, "ConfigMap"),
  judge(resource, ceiling, findings) {
    const sidecar = sidecarData(resource, ceiling, findings);
    if (sidecar === undefined) return;
    if (sidecar.kind === "trust") {
      checkTrust(sidecar.data, sidecar.scope);
      return;
    }
    if (sidecar.data.has("clusters.yaml")) checkClusters(parseYaml(sidecar.data.at("clusters.yaml")), sidecar.scope);
    if (sidecar.data.has("certificate.yaml"))
      checkCertificate(parseYaml(sidecar.data.at("certificate.yaml")), sidecar.scope);
    if (sidecar.data.has("credential.yaml"))
      checkCredential(parseYaml(sidecar.data.at("credential.yaml")), sidecar.scope);
  },
};
