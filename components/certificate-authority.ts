import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Zone as ZoneModel } from "../mesh";

const HOURS_PER_DAY = 24;
/** Life of a root: ten years. It signs nothing but issuing authorities. */
const ROOT_VALIDITY_HOURS = 10 * 365 * HOURS_PER_DAY;
/** Life of an issuing authority: one year, well above the longest leaf (90 days). */
const ISSUING_VALIDITY_HOURS = 365 * HOURS_PER_DAY;
/** A certificate is renewed by `pulumi up` in the last third of its life. */
const RENEWAL_SHARE = 1 / 3;
const ORGANIZATION = "Lucid";

/** `ECDSA` is P-256; `RSA` has 2048 bits. */
export type KeyAlgorithm = "ECDSA" | "RSA";

export interface CertificateAuthorityArgs {
  readonly zone: ZoneModel;
  readonly algorithm: KeyAlgorithm;
}

/** What a leaf certificate says. */
export interface LeafArgs {
  readonly commonName: string;
  /** SPIFFE ID; the certificate's one URI SAN (SPIFFE X509-SVID, section 2). */
  readonly uri: string;
  /** DNS SANs, for servers that are checked by host name (Consul's). */
  readonly dnsNames?: readonly string[];
  readonly validityDays: number;
}

/** A leaf certificate and its key, as PEM. */
export interface Leaf {
  /** The leaf, then the issuing authority that signed it. */
  readonly chainPem: pulumi.Output<string>;
  /** PKCS#8; secret. */
  readonly keyPem: pulumi.Output<string>;
}

/**
 * A zone's own certificate authority: a root, whose key never leaves the encrypted state, and one issuing authority that signs the zone's leaves.
 * No other zone trusts it but through a filter chain for callers of this zone.
 */
export class CertificateAuthority extends pulumi.ComponentResource {
  /** The zone's roots: what a peer must trust to believe this zone's identities. */
  readonly rootsPem: pulumi.Output<string>;
  readonly issuingPem: pulumi.Output<string>;
  private readonly issuingKeyPem: pulumi.Output<string>;
  private readonly algorithm: KeyAlgorithm;

  constructor(name: string, args: CertificateAuthorityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:CertificateAuthority", name, { zone: args.zone.name, algorithm: args.algorithm }, opts);
    const child = { parent: this };
    this.algorithm = args.algorithm;

    const rootKey = new tls.PrivateKey(`${name}-root-key`, privateKeyArgs(args.algorithm), child);
    const root = new tls.SelfSignedCert(
      `${name}-root`,
      {
        privateKeyPem: rootKey.privateKeyPemPkcs8,
        subject: { commonName: `${args.zone.trustDomain} root`, organization: ORGANIZATION },
        isCaCertificate: true,
        setSubjectKeyId: true,
        setAuthorityKeyId: true,
        allowedUses: ["cert_signing", "crl_signing"],
        validityPeriodHours: ROOT_VALIDITY_HOURS,
        earlyRenewalHours: renewalHours(ROOT_VALIDITY_HOURS),
      },
      child,
    );

    const issuingKey = new tls.PrivateKey(`${name}-issuing-key`, privateKeyArgs(args.algorithm), child);
    const issuingRequest = new tls.CertRequest(
      `${name}-issuing-request`,
      {
        privateKeyPem: issuingKey.privateKeyPemPkcs8,
        subject: { commonName: `${args.zone.trustDomain} issuing`, organization: ORGANIZATION },
      },
      child,
    );
    const issuing = new tls.LocallySignedCert(
      `${name}-issuing`,
      {
        certRequestPem: issuingRequest.certRequestPem,
        caPrivateKeyPem: rootKey.privateKeyPemPkcs8,
        caCertPem: root.certPem,
        isCaCertificate: true,
        setSubjectKeyId: true,
        allowedUses: ["cert_signing", "crl_signing"],
        validityPeriodHours: ISSUING_VALIDITY_HOURS,
        earlyRenewalHours: renewalHours(ISSUING_VALIDITY_HOURS),
      },
      child,
    );

    this.rootsPem = root.certPem;
    this.issuingPem = issuing.certPem;
    this.issuingKeyPem = issuingKey.privateKeyPemPkcs8;
    this.registerOutputs({ rootsPem: this.rootsPem });
  }

  /** Makes a key and a certificate for it, good for both ends of a connection. Three resources, children of `parent`. */
  issue(name: string, args: LeafArgs, parent: pulumi.Resource): Leaf {
    const child = { parent };
    const key = new tls.PrivateKey(`${name}-key`, privateKeyArgs(this.algorithm), child);
    const request = new tls.CertRequest(
      `${name}-request`,
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
      `${name}-certificate`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: this.issuingKeyPem,
        caCertPem: this.issuingPem,
        setSubjectKeyId: true,
        allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
        validityPeriodHours,
        earlyRenewalHours: renewalHours(validityPeriodHours),
      },
      child,
    );
    return {
      chainPem: pulumi.concat(certificate.certPem, this.issuingPem),
      keyPem: pulumi.secret(key.privateKeyPemPkcs8),
    };
  }
}

function privateKeyArgs(algorithm: KeyAlgorithm): tls.PrivateKeyArgs {
  return algorithm === "ECDSA" ? { algorithm, ecdsaCurve: "P256" } : { algorithm, rsaBits: 2048 };
}

function renewalHours(validityHours: number): number {
  return Math.floor(validityHours * RENEWAL_SHARE);
}
