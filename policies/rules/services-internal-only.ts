import type { ResourceRule } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";

/** Kinds that open the cluster to the outside. */
const ENTRANCES = [
  "Ingress",
  "Gateway",
  "HTTPRoute",
  "GRPCRoute",
  "TLSRoute",
  "TCPRoute",
  "UDPRoute",
  "IngressClass",
  "EndpointSlice",
  "Endpoints",
];

/** Nothing of the mesh can be reached from outside the cluster; the outer edge is onion services alone. */
export const servicesInternalOnly: ResourceRule = {
  name: "services-internal-only",
  description: "No Service of type LoadBalancer, NodePort or ExternalName, no external address, no Ingress or Gateway.",
  severity: "high",
  remediation: "Use a ClusterIP Service; operators reach pages by port-forward, the outside by onion services.",
  uses: [],
  takesExceptions: true,
  concerns: (type) => isKind(type, "Service", ...ENTRANCES),
  judge(resource, _ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    if (object.kind !== "Service") {
      findings.add("", `a ${object.kind} sends traffic past the mesh`, "take it out; calls are declared in mesh.yaml");
      return;
    }
    const type = object.spec.at("type");
    findings.require(
      type.isAbsentOr("ClusterIP"),
      type,
      `the Service's type is ${type.shown()}`,
      "make it a ClusterIP",
    );
    for (const key of [
      "externalIPs",
      "loadBalancerIP",
      "loadBalancerClass",
      "externalName",
      "loadBalancerSourceRanges",
    ]) {
      const field = object.spec.at(key);
      findings.require(field.isEmpty, field, "the Service has an address outside the cluster", "take it out");
    }
    for (const port of object.spec.at("ports").items()) {
      findings.require(
        port.at("nodePort").isAbsentOr(0),
        port.at("nodePort"),
        "the port is open on every node",
        "take nodePort out",
      );
    }
    findings.require(
      !object.spec.at("selector").isEmpty,
      object.spec.at("selector"),
      "a Service without selector sends to addresses written by hand",
      "select the pods of one member by name",
    );
  },
};
