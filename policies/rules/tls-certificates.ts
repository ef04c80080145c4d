import type { Ceiling } from "../ceiling";
import { isElsewhere, partyOfIdentity, trustDomainOf } from "../envoy/scope";
import { ETCD_CLIENT } from "../etcd/clients";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { Parameter, Values } from "../judgement/parameters";
import type { ResourceRule } from "../judgement/rule";
import { LONGEST_DAYS, TLS, zoneOfAuthority } from "../tls/resources";

const AUTHORITY_USES = ["cert_signing", "crl_signing"];
const LEAF_USES = ["digital_signature", "server_auth", "client_auth"];
/** An RSA key may also encipher keys (RFC 8813, section 3: an ECDSA key can't). */
const FURTHER_LEAF_USES = ["key_encipherment"];
/** By this an infrastructure service is reached on its own loopback. */
const LOOPBACK = "localhost";
/** Who logs in at etcd's gateway by a password: a common name it would take for a user's, and hear nobody. */
const NAMELESS: readonly string[] = ["mesh/etcd-access", ETCD_CLIENT.identity];

type Life = "longestRootDays" | "longestIssuingDays" | "longestLeafDays";

/** A certificate is an authority's, with nothing but the right to sign; or a member's, with its one identity and both ends of a connection. */
export const tlsCertificates: ResourceRule<Life> = {
  name: "tls-certificates",
  description:
    "Authorities sign and do nothing else; a leaf has exactly one URI SAN, a member's identity, is good for both ends, is no authority, and lives 90 days at most.",
  severity: "critical",
  remediation: "Issue certificates by CertificateAuthority.",
  uses: ["members", "infrastructure", "datacenter"],
  parameters: {
    longestRootDays: life("a root", LONGEST_DAYS.root),
    longestIssuingDays: life("an issuing authority", LONGEST_DAYS.issuing),
    longestLeafDays: life("a leaf", LONGEST_DAYS.leaf),
  },
  concerns: (type) => type.startsWith("tls:") && type !== TLS.privateKey,
  judge({ type, properties }, ceiling, findings, values) {
    switch (type) {
      case TLS.request:
        judgeRequest(properties, ceiling, findings);
        break;
      case TLS.selfSigned:
        judgeRoot(properties, ceiling, values, findings);
        break;
      case TLS.locallySigned:
        if (properties.at("isCaCertificate").is(true)) judgeIssuing(properties, values, findings);
        else judgeLeaf(properties, values, findings);
        break;
      default:
        findings.add("", `no rule models ${type}`, "take another, or write its rule first");
    }
  },
};

/** A request with a URI is a leaf's, one without is an authority's; that it is signed as such is judged by `stack-invariants`. */
function judgeRequest(request: Field, ceiling: Ceiling, findings: Findings): void {
  const uris = request.at("uris").texts();
  if (uris.length === 0) {
    judgeAuthorityNames(request, ceiling, findings);
    return;
  }
  const [uri = "", ...others] = uris;
  findings.require(
    others.length === 0,
    request.at("uris"),
    `the certificate would have ${String(uris.length)} identities`,
    "ask for exactly one URI SAN, the service's SPIFFE ID",
  );
  const party = partyOfIdentity(uri, ceiling.datacenter?.name);
  const [zone = "", service = ""] = party?.split("/") ?? [];
  if (party === undefined || isElsewhere(party) || ceiling.members[zone]?.includes(service) !== true) {
    findings.add(
      request.at("uris"),
      party === undefined
        ? "the identity is none of the mesh's form"
        : isElsewhere(party)
          ? `the identity is one of another datacenter (${zone})`
          : `\`${service}\` is not a member of zone ${zone}, whose identity is asked for`,
      `ask for spiffe://${trustDomainOf("<zone>", ceiling.datacenter?.name)}/ns/lucid-<zone>/sa/<service> of a listed member`,
    );
    return;
  }
  const dnsNames = request.at("dnsNames").texts();
  const isInfrastructure = Object.hasOwn(ceiling.infrastructure, party);
  const name = request.at("subject", "commonName");
  findings.require(
    NAMELESS.includes(party)
      ? name.isAbsent
      : name.is(`${service}.lucid.internal`) || (isInfrastructure && name.isOneOf(dnsNames)),
    name,
    `the common name is ${name.shown()}`,
    NAMELESS.includes(party) ? "leave it out" : `name it ${service}.lucid.internal`,
  );
  findings.require(
    isInfrastructure
      ? dnsNames.every(
          (dns) =>
            dns === LOOPBACK ||
            dns.endsWith(".lucid.internal") ||
            // Its own pods, by their names in a StatefulSet.
            dns.endsWith(`.${service}-peers.lucid-${zone}.svc.cluster.local`),
        )
      : dnsNames.length === 0,
    request.at("dnsNames"),
    "the certificate would be good for host names that are not its own",
    "take them out: identities are URIs, and who demands DNS names is listed as infrastructure",
  );
  refuseAddresses(request, findings);
}

function judgeRoot(root: Field, ceiling: Ceiling, values: Values<Life>, findings: Findings): void {
  findings.require(
    root.at("isCaCertificate").is(true),
    root.at("isCaCertificate"),
    "a certificate that signs itself and is no authority proves nothing",
    "set isCaCertificate: true, or have it issued by the zone's authority",
  );
  judgeAuthorityNames(root, ceiling, findings);
  judgeUses(root, AUTHORITY_USES.slice(0, 1), AUTHORITY_USES, findings);
  judgeLife(root, values.longestRootDays, findings);
  // -1 is the provider's word for none: a first root of before keeps standing without one.
  const length = root.at("maxPathLength");
  findings.require(
    length.isAbsent || length.isOneOf([-1, 0, 1]),
    length,
    `${length.shown()} authorities may stand under the root`,
    "set maxPathLength: 1",
  );
}

function judgeIssuing(authority: Field, values: Values<Life>, findings: Findings): void {
  judgeUses(authority, AUTHORITY_USES, AUTHORITY_USES, findings);
  judgeLife(authority, values.longestIssuingDays, findings);
  findings.require(
    authority.at("setSubjectKeyId").is(true),
    authority.at("setSubjectKeyId"),
    "its revocation list could not name it, and everything that it signs would be refused",
    "set setSubjectKeyId: true",
  );
}

function judgeLeaf(leaf: Field, values: Values<Life>, findings: Findings): void {
  judgeUses(leaf, LEAF_USES, [...LEAF_USES, ...FURTHER_LEAF_USES], findings);
  judgeLife(leaf, values.longestLeafDays, findings);
  const isAuthority = leaf.at("isCaCertificate");
  findings.require(
    isAuthority.isAbsentOr(false),
    isAuthority,
    "it can't be told whether the certificate may sign others",
    "leave isCaCertificate out",
  );
}

function judgeAuthorityNames(authority: Field, ceiling: Ceiling, findings: Findings): void {
  const name = authority.at("subject", "commonName");
  const zone = zoneOfAuthority(name.text() ?? "", ceiling.datacenter?.name);
  findings.require(
    zone !== undefined && Object.hasOwn(ceiling.members, zone),
    name,
    `${name.shown()} is no zone's authority, and a leaf needs an identity`,
    `name an authority \`${trustDomainOf("<zone>", ceiling.datacenter?.name)} root\` or \`… issuing\`; give a leaf its one URI SAN`,
  );
  for (const key of ["uris", "dnsNames"]) {
    findings.require(authority.at(key).isEmpty, authority.at(key), "an authority speaks for nobody", "take it out");
  }
  refuseAddresses(authority, findings);
}

function refuseAddresses(names: Field, findings: Findings): void {
  const addresses = names.at("ipAddresses");
  findings.require(addresses.isEmpty, addresses, "an address proves no identity", "take it out");
}

function judgeUses(
  certificate: Field,
  needed: readonly string[],
  allowed: readonly string[],
  findings: Findings,
): void {
  const field = certificate.at("allowedUses");
  const uses = field.texts();
  const missing = needed.filter((use) => !uses.includes(use));
  const further = uses.filter((use) => !allowed.includes(use));
  findings.require(missing.length === 0, field, `it may not be used for ${missing.join(", ")}`, "add what is missing");
  findings.require(further.length === 0, field, `it may also be used for ${further.join(", ")}`, "take that out");
}

/** The configuration may shorten a life, and not lengthen it. */
function life(whose: string, days: number): Parameter {
  return { default: days, minimum: 1, maximum: days, description: `Longest life of ${whose}, in days.` };
}

function judgeLife(certificate: Field, days: number, findings: Findings): void {
  const longest = days * 24;
  const field = certificate.at("validityPeriodHours");
  const hours = field.number() ?? 0;
  findings.require(
    hours > 0 && hours <= longest,
    field,
    `it lives ${field.shown()} hours`,
    `let it live ${String(longest)} hours at most`,
  );
}
