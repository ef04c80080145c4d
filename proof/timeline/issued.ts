/** Certificates that issuers make: a plan has none of them, and says for whom they are, how long they live, and who signs them. */
import { SIGNING_SECRET, ISSUING_POLICY } from "../../policies/issuing/names";
import { Unjudgeable } from "../../policies/judgement/field";
import type { StackResource } from "../../policies/judgement/rule";
import { KubeObject } from "../../policies/kubernetes/object";
import { ZONE_NAMESPACE, partyName } from "../../policies/reachability";
import { TLS } from "../../policies/tls/resources";
import type { Certificate, Party } from "./model";

/** An issuer makes a certificate anew in the last third of its life. */
const RENEWAL_SHARE = 1 / 3;

/** A certificate that an issuer makes, and who shows it. */
export interface Issued {
  readonly certificate: Certificate;
  readonly party: Party;
}

/**
 * Reads what a plan's zones give their issuers.
 *
 * @param readable tells of what can't be read
 */
export function readIssued(
  resources: readonly StackResource[],
  readable: <T>(resource: StackResource, read: () => T) => T | undefined,
): readonly Issued[] {
  const signers = new Map<string, string>();
  const policies: { readonly resource: StackResource; readonly zone: string }[] = [];
  for (const resource of resources) {
    readable(resource, () => {
      const object = KubeObject.of(resource);
      if (object?.groupKind === "core/Secret" && object.metadata.at("name").is(SIGNING_SECRET)) {
        // Text that is known beforehand comes from nowhere.
        const isMade = resource.properties.at("stringData", "tls.crt").isUnknown;
        const signer = resource.origins("stringData").find(({ type }) => type === TLS.locallySigned);
        if (isMade && signer !== undefined) signers.set(zoneOf(object), signer.name);
      } else if (object?.groupKind === "core/ConfigMap" && object.metadata.at("name").is(ISSUING_POLICY)) {
        policies.push({ resource, zone: zoneOf(object) });
      }
    });
  }
  return policies.flatMap(({ resource, zone }) => readable(resource, () => issuedBy(resource, zone, signers)) ?? []);
}

/** @throws Unjudgeable */
function issuedBy({ properties }: StackResource, zone: string, signers: ReadonlyMap<string, string>): Issued[] {
  const data = properties.at("data");
  const signer = signers.get(zone);
  if (signer === undefined)
    throw new Unjudgeable(
      "data",
      "nothing is there that certificates could be signed by",
      `declare ${SIGNING_SECRET} beside it`,
    );
  const lifeHours = Number(data.at("validityHours").text());
  if (!(lifeHours > 0)) throw new Unjudgeable("data.validityHours", "is no number of hours", "say how many");
  const datacenter = data.at("datacenter").text();
  const domain = `${datacenter === undefined ? zone : `${zone}.${datacenter}`}.lucid.internal`;
  const services = (data.at("services").text() ?? "").split("\n").filter((service) => service !== "");
  return services.map((service) => {
    const name = partyName(zone, service);
    const certificate: Certificate = {
      name: `${name}, by its issuer`,
      role: "leaf",
      subject: `spiffe://${domain}/ns/lucid-${zone}/sa/${service}`,
      zone,
      lifeHours,
      earlyHours: lifeHours * RENEWAL_SHARE,
      madeBy: "issuer",
      signer,
    };
    return { certificate, party: { name, shows: certificate.name, roots: new Set(), lists: undefined } };
  });
}

/** @throws Unjudgeable */
function zoneOf(object: KubeObject): string {
  const namespace = object.namespace.text() ?? "";
  return namespace.startsWith(ZONE_NAMESPACE) ? namespace.slice(ZONE_NAMESPACE.length) : namespace;
}
