import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Zone as ZoneModel } from "../mesh";
import { FIRST_GENERATIONS, describeGenerations, type AuthorityGenerations } from "./identity/generations";
import { revocationList, withCertificates, type RevokedSerial } from "./identity/revocation-list";

const HOURS_PER_DAY = 24;
/** Life of a root: ten years. It signs nothing but issuing authorities. */
const ROOT_VALIDITY_HOURS = 10 * 365 * HOURS_PER_DAY;
/** Life of an issuing authority: one year, well above the longest leaf (90 days). */
const ISSUING_VALIDITY_HOURS = 365 * HOURS_PER_DAY;
/** A certificate is renewed by `pulumi up` in the last third of its life. */
const RENEWAL_SHARE = 1 / 3;
/** Authorities between a root and a leaf: the issuing one and no other. */
const ROOT_PATH_LENGTH = 1;
const ORGANIZATION = "Lucid";

/** `ECDSA` is P-256; `RSA` has 2048 bits. */
export type KeyAlgorithm = "ECDSA" | "RSA";

export interface CertificateAuthorityArgs {
  readonly zone: ZoneModel;
  readonly algorithm: KeyAlgorithm;
  /** Which generations of roots and issuing authorities there are. Default: the first of each. */
  readonly generations?: AuthorityGenerations;
  /** The zone's certificates that no peer is to believe any more. Default: none. */
  readonly revoked?: readonly RevokedSerial[];
  /** Identities (SPIFFE IDs) of revoked services: the certificate that `issue` makes for one is refused by every peer. Each must be issued. Default: none. */
  readonly revokedIdentities?: readonly string[];
  /** Hours that certificates live which the zone's issuer makes, where it does: then those that it can have made for a revoked identity are refused as well. Default: it makes none. */
  readonly issuedHours?: number;
}

/** What a leaf certificate says. */
export interface LeafArgs {
  /** None for a client of etcd's gateway, which hears nobody who has one. */
  readonly commonName: string | undefined;
  /** SPIFFE ID; the certificate's one URI SAN (SPIFFE X509-SVID, section 2). */
  readonly uri: string;
  /** DNS SANs, for servers that are checked by host name (the discovery backend's). */
  readonly dnsNames?: readonly string[];
  readonly validityDays: number;
  /** Part of the resources' names: another one makes another key and certificate. Default: none. */
  readonly revision?: string;
}

/** A leaf certificate and its key, as PEM. */
export interface Leaf {
  /** The leaf, then the issuing authority that signed it. */
  readonly chainPem: pulumi.Output<string>;
  /** PKCS#8; secret. */
  readonly keyPem: pulumi.Output<string>;
  /** When it runs out (RFC 3339, UTC, to the second). */
  readonly notAfter: pulumi.Output<string>;
}

/** What a peer must have to believe a zone's identities, and none that was withdrawn. */
export interface ZoneTrust {
  /** The zone's roots, one PEM after the other. */
  readonly rootsPem: pulumi.Output<string>;
  /** A revocation list of each of the zone's issuing authorities. A certificate whose authority has none here is refused. */
  readonly revocationsPem: pulumi.Output<string>;
}

/** A leaf that is named in a revocation list and made later. */
interface AwaitedLeaf {
  readonly certPem: pulumi.Output<string>;
  readonly issued: (certPem: pulumi.Output<string>) => void;
}

/** A root or an issuing authority. */
interface Authority {
  readonly certPem: pulumi.Output<string>;
  readonly keyPem: pulumi.Output<string>;
}

/**
 * A zone's own certificate authority: roots, whose keys never leave the encrypted state, and under each the issuing authorities, of which one signs the
 * zone's leaves. No other zone trusts it but through a filter chain for callers of this zone.
 *
 * Resources of the first generation bear no number in their names.
 */
export class CertificateAuthority extends pulumi.ComponentResource implements ZoneTrust {
  readonly rootsPem: pulumi.Output<string>;
  readonly revocationsPem: pulumi.Output<string>;
  /** Short text of the generations, for what must be restarted when they change; undefined for the first. */
  readonly generations: string | undefined;
  private readonly issuing: Authority;
  /** Leaves of revoked services, by identity: the lists are asked for before the leaves are issued. */
  private readonly refused: ReadonlyMap<string, AwaitedLeaf>;
  private readonly args: CertificateAuthorityArgs;

  constructor(name: string, args: CertificateAuthorityArgs, opts?: pulumi.ComponentResourceOptions) {
    const { roots, issuers } = args.generations ?? FIRST_GENERATIONS;
    const described = describeGenerations({ roots, issuers });
    const inputs = { zone: args.zone.name, algorithm: args.algorithm };
    super(
      "lucid:mesh:CertificateAuthority",
      name,
      described === undefined ? inputs : { ...inputs, generations: described },
      opts,
    );
    this.args = args;
    this.generations = described;

    const rootOf = new Map(roots.accepted.map((generation) => [generation, this.root(name, generation)]));
    const issuing = new Map<string, Authority>();
    for (const [generation, root] of rootOf) {
      for (const issuer of issuers.accepted) {
        issuing.set(key(generation, issuer), this.issuer(name, generation, root, issuer));
      }
    }
    const signing = issuing.get(key(roots.issuing, issuers.issuing));
    if (signing === undefined) {
      throw new pulumi.RunError(`zone ${args.zone.name} issues by a generation that it does not have`);
    }
    this.issuing = signing;
    this.refused = new Map((args.revokedIdentities ?? []).map((identity) => [identity, awaitedLeaf()]));
    this.rootsPem = concatenated([...rootOf.values()].map(({ certPem }) => certPem));
    this.revocationsPem = concatenated([...issuing.values()].map((authority) => this.revocations(authority)));
    this.registerOutputs({ rootsPem: this.rootsPem });
  }

  /** The authority that signs leaves, for the zone's issuer; its key is secret. */
  get signer(): { readonly certPem: pulumi.Output<string>; readonly keyPem: pulumi.Output<string> } {
    return this.issuing;
  }

  /** Makes a key and a certificate for it, good for both ends of a connection. Three resources, children of `parent`. */
  issue(name: string, args: LeafArgs, parent: pulumi.Resource): Leaf {
    const child = { parent };
    const base = args.revision === undefined ? name : `${name}-${args.revision}`;
    const key = new tls.PrivateKey(`${base}-key`, privateKeyArgs(this.args.algorithm), child);
    const request = new tls.CertRequest(
      `${base}-request`,
      {
        privateKeyPem: key.privateKeyPemPkcs8,
        subject: { commonName: args.commonName, organization: ORGANIZATION },
        uris: [args.uri],
        dnsNames: args.dnsNames === undefined ? undefined : [...args.dnsNames],
      },
      child,
    );
    const validityPeriodHours = args.validityDays * HOURS_PER_DAY;
    const certificate = new tls.LocallySignedCert(
      `${base}-certificate`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: this.issuing.keyPem,
        caCertPem: this.issuing.certPem,
        setSubjectKeyId: true,
        allowedUses: [...keyUses(this.args.algorithm), "server_auth", "client_auth"],
        validityPeriodHours,
        earlyRenewalHours: renewalHours(validityPeriodHours),
      },
      child,
    );
    this.refused.get(args.uri)?.issued(certificate.certPem);
    return {
      chainPem: pulumi.concat(certificate.certPem, this.issuing.certPem),
      keyPem: pulumi.secret(key.privateKeyPemPkcs8),
      notAfter: certificate.validityEndTime.apply(instant),
    };
  }

  private root(name: string, generation: number): Authority {
    const base = `${name}-root${suffix(generation)}`;
    const key = new tls.PrivateKey(`${base}-key`, privateKeyArgs(this.args.algorithm), { parent: this });
    const certificate = new tls.SelfSignedCert(
      base,
      {
        privateKeyPem: key.privateKeyPemPkcs8,
        subject: subject(`${this.args.zone.trustDomain} root`, generation),
        isCaCertificate: true,
        maxPathLength: ROOT_PATH_LENGTH,
        setSubjectKeyId: true,
        setAuthorityKeyId: true,
        allowedUses: ["cert_signing", "crl_signing"],
        validityPeriodHours: ROOT_VALIDITY_HOURS,
        earlyRenewalHours: renewalHours(ROOT_VALIDITY_HOURS),
      },
      // A first root that was made without the limit keeps standing: a root is exchanged by the next generation, not under its peers' feet.
      generation === 1 ? { parent: this, ignoreChanges: ["maxPathLength"] } : { parent: this },
    );
    return { certPem: certificate.certPem, keyPem: key.privateKeyPemPkcs8 };
  }

  private issuer(name: string, rootGeneration: number, root: Authority, generation: number): Authority {
    const prefix = rootGeneration === 1 ? name : `${name}-root${suffix(rootGeneration)}`;
    const base = `${prefix}-issuing${suffix(generation)}`;
    const label = rootGeneration === 1 ? "issuing" : `root ${String(rootGeneration)} issuing`;
    const child = { parent: this };
    const key = new tls.PrivateKey(`${base}-key`, privateKeyArgs(this.args.algorithm), child);
    const request = new tls.CertRequest(
      `${base}-request`,
      {
        privateKeyPem: key.privateKeyPemPkcs8,
        subject: subject(`${this.args.zone.trustDomain} ${label}`, generation),
      },
      child,
    );
    const certificate = new tls.LocallySignedCert(
      base,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: root.keyPem,
        caCertPem: root.certPem,
        isCaCertificate: true,
        setSubjectKeyId: true,
        allowedUses: ["cert_signing", "crl_signing"],
        validityPeriodHours: ISSUING_VALIDITY_HOURS,
        earlyRenewalHours: renewalHours(ISSUING_VALIDITY_HOURS),
      },
      child,
    );
    return { certPem: certificate.certPem, keyPem: key.privateKeyPemPkcs8 };
  }

  /** Made here and not by a resource: Pulumi's providers have none for it. The list is public, though it comes from a secret key. */
  private revocations({ certPem, keyPem }: Authority): pulumi.Output<string> {
    const { revoked = [], issuedHours } = this.args;
    const leaves = pulumi.all(
      [...this.refused].map(([identity, awaited]) => awaited.certPem.apply((leafPem) => ({ identity, leafPem }))),
    );
    return pulumi.unsecret(
      pulumi
        .all([certPem, keyPem, leaves])
        .apply(([certificate, key, refused]) =>
          revocationList(certificate, key, withCertificates(revoked, refused, issuedHours)),
        ),
    );
  }
}

function awaitedLeaf(): AwaitedLeaf {
  const [certPem, issued] = pulumi.deferredOutput<string>();
  return { certPem, issued };
}

function concatenated(pems: readonly pulumi.Output<string>[]): pulumi.Output<string> {
  return pulumi.all([...pems]).apply((texts) => texts.join(""));
}

function key(root: number, issuer: number): string {
  return `${String(root)}/${String(issuer)}`;
}

function suffix(generation: number): string {
  return generation === 1 ? "" : `-${String(generation)}`;
}

/** Authorities of several generations bear different names, so that no verifier has to tell them apart by their keys. */
function subject(name: string, generation: number) {
  return {
    commonName: generation === 1 ? name : `${name} ${String(generation)}`,
    organization: ORGANIZATION,
  };
}

function privateKeyArgs(algorithm: KeyAlgorithm): tls.PrivateKeyArgs {
  return algorithm === "ECDSA" ? { algorithm, ecdsaCurve: "P256" } : { algorithm, rsaBits: 2048 };
}

/** Key usages of a leaf: an RSA key may also encipher keys, an ECDSA key can't (RFC 8813, section 3). */
function keyUses(algorithm: KeyAlgorithm): string[] {
  return algorithm === "ECDSA" ? ["digital_signature"] : ["digital_signature", "key_encipherment"];
}

/** An instant as Kubernetes writes it; providers differ in zone and digits. */
function instant(text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : time.toISOString().replace(/\.\d+Z$/, "Z");
}

function renewalHours(validityHours: number): number {
  return Math.floor(validityHours * RENEWAL_SHARE);
}
