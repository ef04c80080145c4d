import { partyOfIdentity } from "../envoy/scope";
import type { EdgeLeave } from "../ceiling";
import { ETCD_CLIENT, mayReachEtcd } from "../etcd/clients";
import type { Findings } from "../judgement/finding";
import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";
import { ownerOf } from "../kubernetes/owner";
import { SIGNING_SECRET } from "../issuing/names";
import { isIssuingOf, keyOf, origin } from "./provenance";
import { TLS } from "./resources";

const DATA = ["stringData", "data"] as const;

/**
 * A Secret holds the key and the certificate of the service whose name it bears, and nobody else's: another's would make its reader that other, an authority's make
 * him everybody. What is in it is not known at preview, and told by what its data comes from.
 */
export function keysElsewhere(resources: readonly StackResource[], ceiling: EdgeLeave): StackFinding[] {
  const secrets = resources.filter(({ type }) => isKind(type, "Secret"));
  const requests = requestsByKey([...resources, ...secrets.flatMap(leafRequests)]);
  return secrets.flatMap((resource) =>
    findingsIn(resource, (_, findings) => {
      const object = KubeObject.of(resource);
      const owner = object && ownerOf(object, ceiling);
      const identity = object && owner !== undefined ? identityIn(object.name, owner, ceiling) : undefined;
      if (object?.metadata.at("name").is(SIGNING_SECRET) === true) {
        judgeSigning(resource, object.zone(ceiling), ceiling.datacenter?.name, findings);
        return;
      }
      for (const property of DATA) {
        for (const source of resource.origins(property)) {
          const certified = certifiedBy(source, requests);
          if (certified === undefined) continue;
          findings.require(
            certified.length === 1 &&
              identity !== undefined &&
              certified.every((request) => identityOf(request, ceiling.datacenter?.name) === identity),
            property,
            `it is made of ${source.name}, which is not ${owner ?? "its reader"}'s own`,
            "give each service a Secret `<service>-tls` with its own key and leaf, as Sidecar does",
          );
        }
      }
    }),
  );
}

/** What a zone is signed by is its own issuing authority's certificate, and that one's key. */
function judgeSigning(
  secret: StackResource,
  zone: string | undefined,
  datacenter: string | undefined,
  findings: Findings,
): void {
  const sources = DATA.flatMap((property) => secret.origins(property));
  const keys = sources.filter(({ type }) => type === TLS.privateKey);
  const signers = sources.filter((source) => zone !== undefined && isIssuingOf(source, zone, datacenter));
  const [key, signer] = [keys[0], signers[0]];
  findings.require(
    sources.length === 2 && keys.length === 1 && signers.length === 1 && key?.urn === (signer && keyOf(signer)?.urn),
    "stringData",
    `it is not made of the certificate and the key of zone ${zone ?? "?"}'s issuing authority alone`,
    "take signer of the zone's CertificateAuthority, as ZoneIssuing does",
  );
}

/** Whose key and certificate stand in a Secret of this name, of this owner; undefined where none may. */
function identityIn(name: string | undefined, owner: string, ceiling: EdgeLeave): string | undefined {
  const service = owner.slice(owner.indexOf("/") + 1);
  if (name !== `${service}${ETCD_CLIENT.secretSuffix}`) return owner;
  return mayReachEtcd(owner, ceiling) ? ETCD_CLIENT.identity : undefined;
}

/** What asks for certificates, by the key that they are for. */
function requestsByKey(resources: readonly StackResource[]): ReadonlyMap<string, readonly StackResource[]> {
  const asking = new Map(
    resources
      .filter(({ type }) => type === TLS.request || type === TLS.selfSigned)
      .map((resource) => [resource.urn, resource] as const),
  );
  const requests = new Map<string, StackResource[]>();
  for (const resource of asking.values()) {
    for (const { urn } of resource.origins("privateKeyPem"))
      requests.set(urn, [...(requests.get(urn) ?? []), resource]);
  }
  return requests;
}

/** The requests of the certificates that a Secret is made of. */
function leafRequests(secret: StackResource): StackResource[] {
  return DATA.flatMap((property) => secret.origins(property)).flatMap((source) => source.origins("certRequestPem"));
}

/** The requests for what a value is made of, where that is a key or a leaf; undefined for anything else. */
function certifiedBy(source: StackResource, requests: ReadonlyMap<string, readonly StackResource[]>) {
  if (source.type === TLS.privateKey) return requests.get(source.urn) ?? [];
  if (source.type !== TLS.locallySigned || source.properties.at("isCaCertificate").is(true)) return undefined;
  const request = origin(source, "certRequestPem", [TLS.request]);
  return request === undefined ? [] : [request];
}

function identityOf({ type, properties }: StackResource, datacenter: string | undefined): string | undefined {
  const [uri, ...others] = type === TLS.request ? properties.at("uris").texts() : [];
  return uri === undefined || others.length > 0 ? undefined : partyOfIdentity(uri, datacenter);
}
