import type { Ceiling } from "../ceiling";
import { isMember } from "../ceiling/edges";
import type { Scope } from "../envoy/scope";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { Resource } from "../judgement/rule";
import { KubeObject } from "../kubernetes/object";

/** Names of the objects that sidecars read; that they read no others is `sidecar-required`. */
const SUFFIXES = { "-envoy": "configuration", "-trust": "trust" } as const;

/** Name of a ConfigMap with the roots by which an application trusts Consul: no sidecar reads it. */
export const CONSUL_TRUST_SUFFIX = "-consul-trust";

/** A ConfigMap that a sidecar reads. */
export interface SidecarData {
  readonly kind: "configuration" | "trust";
  readonly data: Field;
  readonly scope: Scope;
}

/** The sidecar's data in a ConfigMap, by its name; undefined for any other ConfigMap. */
export function sidecarData(resource: Resource, ceiling: Ceiling, findings: Findings): SidecarData | undefined {
  const object = KubeObject.of(resource);
  if (!object?.concernsMesh) return undefined;
  const name = object.name ?? "";
  if (name.endsWith(CONSUL_TRUST_SUFFIX)) return undefined;
  const suffix = Object.keys(SUFFIXES).find((candidate) => name.endsWith(candidate)) as
    keyof typeof SUFFIXES | undefined;
  const zone = object.zone(ceiling);
  if (suffix === undefined || zone === undefined) return undefined;
  const service = name.slice(0, -suffix.length);
  if (!isMember(`${zone}/${service}`, ceiling)) {
    findings.add(
      "metadata.name",
      `\`${service}\` is not a member of zone ${zone}`,
      "name the ConfigMap for the member whose sidecar reads it",
    );
  }
  const binary = object.body.at("binaryData");
  findings.require(binary.isEmpty, binary, "a sidecar's configuration is not text", "put it into data");
  return { kind: SUFFIXES[suffix], data: object.body.at("data"), scope: { zone, service, ceiling, findings } };
}
