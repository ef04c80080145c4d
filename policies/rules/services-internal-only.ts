import type { Ceiling } from "../ceiling";
import { exported } from "../ceiling/links";
import type { ResourceRule } from "../judgement/rule";
import { KubeObject, NAME_LABEL, isKind } from "../kubernetes/object";

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

/** Nothing of the mesh can be reached from outside the cluster but its gateway, from other datacenters. */
export const servicesInternalOnly: ResourceRule = {
  name: "services-internal-only",
  description:
    "No Service of type LoadBalancer, NodePort or ExternalName but the gateway's that the ceiling lists, no external address, no Ingress or Gateway.",
  severity: "high",
  remediation: "Use a ClusterIP Service; operators reach pages by port-forward.",
  uses: ["members", "datacenter", "links"],
  takesExceptions: true,
  concerns: (type) => isKind(type, "Service", ...ENTRANCES),
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    if (object.kind !== "Service") {
      findings.add("", `a ${object.kind} sends traffic past the mesh`, "take it out; calls are declared in mesh.yaml");
      return;
    }
    const type = object.spec.at("type");
    const isLink = isOfGateway(object, ceiling);
    findings.require(
      type.isAbsentOr("ClusterIP") || isLink,
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
        port.at("nodePort").isAbsentOr(0) || isLink,
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

/** Whether a Service is the gateway's, for the gateways of other datacenters: its one port, at the listed one of the nodes, and nobody's address hidden from its NetworkPolicy. */
function isOfGateway(object: KubeObject, ceiling: Ceiling): boolean {
  const { datacenter } = ceiling;
  if (datacenter?.nodePort === undefined || exported(ceiling).length === 0) return false;
  const [port, ...others] = object.spec.at("ports").items();
  const name = object.spec.at("selector", NAME_LABEL);
  return (
    !name.isUnknown &&
    `${object.zone(ceiling) ?? ""}/${name.text() ?? ""}` === datacenter.gateway &&
    object.spec.at("type").is("NodePort") &&
    object.spec.at("externalTrafficPolicy").is("Local") &&
    port !== undefined &&
    others.length === 0 &&
    port.at("port").is(15001) &&
    port.at("targetPort").is(15001) &&
    port.at("protocol").isAbsentOr("TCP") &&
    `${String(port.at("nodePort").number())}/TCP` === datacenter.nodePort
  );
}
