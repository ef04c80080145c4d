/**
 * Reads certificates, who shows them and who believes them out of a plan. PEMs are not known before the update: what is in a file is told by where its text comes from. Text that is
 * known beforehand comes from nowhere, whatever else its property was made of.
 */
import { Unjudgeable } from "../../policies/judgement/field";
import type { Field } from "../../policies/judgement/field";
import type { StackResource } from "../../policies/judgement/rule";
import { KubeObject } from "../../policies/kubernetes/object";
import { ZONE_NAMESPACE, partyName } from "../../policies/reachability";
import { TLS } from "../../policies/tls/resources";
import { readIssued } from "./issued";
import type { Certificate, Party, Timeline } from "./model";

/** What follows a party's name in the names of the objects that hold what it shows and believes. */
const SUFFIX = { shown: "-tls", trust: "-trust", consulTrust: "-consul-trust" } as const;
/** What follows a party's name where it is spoken of as a client of Consul, which shows nothing. */
const CONSUL_CLIENT = " (Consul's client)";

/** A plan's certificates and parties, and what can't be read of them: one line each. */
export interface CertificateReading extends Pick<Timeline, "certificates" | "parties"> {
  readonly problems: readonly string[];
}

/** Reads a plan. */
export function readCertificates(resources: readonly StackResource[]): CertificateReading {
  const problems: string[] = [];
  const readable = <T>(resource: StackResource, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Unjudgeable)) throw error;
      problems.push(`${KubeObject.titleOf(resource)}: ${error.message}`);
      return undefined;
    }
  };
  const certificates = new Map<string, Certificate>();
  const parties = new Map<string, Party>();
  for (const resource of resources) {
    if (isCertificate(resource)) {
      const certificate = readable(resource, () => readCertificate(resource));
      if (certificate !== undefined) certificates.set(certificate.name, certificate);
    }
  }
  const issued = readIssued(resources, readable);
  for (const { certificate } of issued) certificates.set(certificate.name, certificate);
  for (const name of dropCircular(certificates))
    problems.push(`${name}: by its signers, it is signed by itself; have it signed by the authority of its zone`);
  dropSevered(certificates);
  const parts = resources.flatMap((resource) => readable(resource, () => readPart(resource)) ?? []);
  for (const part of [...parts, ...issued.map(({ party }) => party)]) {
    const { name, roots, lists } = part;
    const shows = part.shows !== undefined && certificates.has(part.shows) ? part.shows : undefined;
    const known = parties.get(name);
    parties.set(name, {
      name,
      shows: shows ?? known?.shows,
      roots: new Set([...(known?.roots ?? []), ...roots]),
      lists: lists ?? known?.lists,
    });
  }
  return { certificates, parties, problems };
}

/** Leaves out what was signed by a certificate that can't be read: that is a problem already. */
function dropSevered(certificates: Map<string, Certificate>): void {
  const isSevered = ({ signer }: Certificate) => signer !== undefined && !certificates.has(signer);
  for (let severed = [...certificates.values()].filter(isSevered); severed.length > 0;) {
    for (const { name } of severed) certificates.delete(name);
    severed = [...certificates.values()].filter(isSevered);
  }
}

/** Leaves out certificates whose signers lead back to themselves, and names them. */
function dropCircular(certificates: Map<string, Certificate>): readonly string[] {
  const isCircular = ({ name, signer }: Certificate) => {
    const seen = new Set<string>();
    for (let next = signer; next !== undefined && !seen.has(next); next = certificates.get(next)?.signer)
      seen.add(next);
    return seen.has(name);
  };
  const circular = [...certificates.values()].filter(isCircular).map(({ name }) => name);
  for (const name of circular) certificates.delete(name);
  return circular;
}

/** The client of Consul that a service has beside its sidecar. */
export function consulClientOf(party: string): string {
  return `${party}${CONSUL_CLIENT}`;
}

function isCertificate({ type }: StackResource): boolean {
  return type === TLS.selfSigned || type === TLS.locallySigned;
}

/** @throws Unjudgeable */
function readCertificate(resource: StackResource): Certificate {
  const { type, name, properties } = resource;
  const lifeHours = hours(properties.at("validityPeriodHours"));
  // Unset, the provider renews at the end.
  const early = properties.at("earlyRenewalHours");
  const signer = type === TLS.selfSigned ? undefined : signerOf(resource);
  if (type === TLS.locallySigned && signer === undefined)
    throw new Unjudgeable("caCertPem", "comes from no certificate of the plan", "take certPem of its authority");
  const request = type === TLS.selfSigned ? properties : resource.origins("certRequestPem")[0]?.properties;
  const isAuthority = properties.at("isCaCertificate").is(true);
  const commonName = request?.at("subject", "commonName").text() ?? name;
  const [identity = commonName] = isAuthority ? [] : (request?.at("uris").texts() ?? []);
  return {
    name,
    role: signer === undefined ? "root" : isAuthority ? "issuing" : "leaf",
    subject: isAuthority ? commonName : identity,
    zone: zoneIn(isAuthority ? commonName : identity),
    lifeHours,
    earlyHours: early.isAbsent ? 0 : Math.max(0, hours(early)),
    madeBy: "update",
    signer: signer?.name,
  };
}

function signerOf(resource: StackResource): StackResource | undefined {
  return resource.properties.at("caCertPem").isUnknown ? resource.origins("caCertPem").find(isCertificate) : undefined;
}

/** @throws Unjudgeable where the number is not known */
function hours(field: Field): number {
  const number = field.number();
  if (number === undefined) throw new Unjudgeable(field.path, "is missing", "say how many hours");
  return number;
}

/** What an object gives a party; undefined where it gives nobody anything to show or believe. @throws Unjudgeable */
function readPart(resource: StackResource): Party | undefined {
  const object = KubeObject.of(resource);
  if (object?.groupKind === "core/Secret") return readSecret(resource, object);
  if (object?.groupKind !== "core/ConfigMap") return undefined;
  const name = object.name ?? "";
  const data = resource.properties.at("data");
  const sources = resource.origins("data");
  if (name.endsWith(SUFFIX.consulTrust)) {
    const client = consulClientOf(partyNamed(object, SUFFIX.consulTrust));
    return {
      name: client,
      shows: undefined,
      roots: data.at("ca.crt").isUnknown ? rootsAmong(sources) : new Set(),
      lists: undefined,
    };
  }
  if (!name.endsWith(SUFFIX.trust)) return undefined;
  // One file a zone, with its roots and the lists of its issuing authorities.
  const made = sources.filter((source) => data.at(`${zoneOf(source)}.yaml`).isUnknown);
  const issuers = made.filter((source) => source.type === TLS.locallySigned && isAuthority(source));
  return {
    name: partyNamed(object, SUFFIX.trust),
    shows: undefined,
    roots: rootsAmong(made),
    lists: new Set(issuers.map((issuer) => issuer.name)),
  };
}

/** @throws Unjudgeable */
function readSecret(resource: StackResource, object: KubeObject): Party | undefined {
  const files = resource.properties.at("stringData");
  const sources = resource.origins("stringData");
  const leaf = sources.find((source) => source.type === TLS.locallySigned && !isAuthority(source));
  if (leaf === undefined) return undefined;
  return {
    name: partyNamed(object, SUFFIX.shown),
    shows: files.at("tls.crt").isUnknown ? leaf.name : undefined,
    roots: files.at("ca.crt").isUnknown ? rootsAmong(sources) : new Set(),
    lists: undefined,
  };
}

/** The zone of an authority. @throws Unjudgeable */
function zoneOf(source: StackResource): string {
  const certified = source.type === TLS.selfSigned ? source : source.origins("certRequestPem")[0];
  return zoneIn(certified?.properties.at("subject", "commonName").text() ?? "");
}

/** `ops` of `ops.lucid.internal root`, and of `spiffe://ops.lucid.internal/…`. */
function zoneIn(subject: string): string {
  return /^(?:spiffe:\/\/)?([a-z0-9-]+)\./.exec(subject)?.[1] ?? "";
}

function rootsAmong(sources: readonly StackResource[]): ReadonlySet<string> {
  return new Set(sources.filter(({ type }) => type === TLS.selfSigned).map(({ name }) => name));
}

function isAuthority({ properties }: StackResource): boolean {
  return properties.at("isCaCertificate").is(true);
}

/** `Ops/admin-ui` of `lucid-ops`, `admin-ui-tls`. @throws Unjudgeable */
function partyNamed(object: KubeObject, suffix: string): string {
  const namespace = object.namespace.text() ?? "";
  const zone = namespace.startsWith(ZONE_NAMESPACE) ? namespace.slice(ZONE_NAMESPACE.length) : namespace;
  return partyName(zone, (object.name ?? "").slice(0, -suffix.length));
}
