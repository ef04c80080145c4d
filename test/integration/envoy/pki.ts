import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

x509.cryptoProvider.set(webcrypto);

/** A certificate chain and its key, as PEM. */
export interface Leaf {
  readonly certificate: string;
  readonly key: string;
}

/** What of a leaf may be otherwise than an issuer makes it: the tests try what must be refused. */
export interface Oddities {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Extended key usages. Default: both. */
  readonly usages?: readonly x509.ExtendedKeyUsage[];
  /** URI SANs beside the identity. */
  readonly moreUris?: readonly string[];
  /** DNS SANs. Default: none. */
  readonly dnsNames?: readonly string[];
  /** The leaf signs itself. */
  readonly selfSigned?: boolean;
}

/** One root with one issuing CA under it, as each zone has. */
export class Authority {
  private constructor(
    readonly name: string,
    readonly rootPem: string,
    private readonly issuing: x509.X509Certificate,
    private readonly issuingKeys: webcrypto.CryptoKeyPair,
  ) {}

  static async create(name: string): Promise<Authority> {
    const rootKeys = await newKeys();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name} root`,
      keys: rootKeys,
      ...validity(),
      signingAlgorithm: ALGORITHM,
      extensions: caExtensions(1),
    });
    const issuingKeys = await newKeys();
    const issuing = await x509.X509CertificateGenerator.create({
      subject: `CN=${name} issuing`,
      issuer: root.subject,
      publicKey: issuingKeys.publicKey,
      signingKey: rootKeys.privateKey,
      ...validity(),
      signingAlgorithm: ALGORITHM,
      extensions: caExtensions(0),
    });
    return new Authority(name, root.toString("pem"), issuing, issuingKeys);
  }

  /** Issues for any name asked, also one that the zone must not have: the tests try those. */
  async issue(commonName: string, identity: string, odd: Oddities = {}): Promise<Leaf> {
    const keys = await newKeys();
    const usual = validity();
    const uris = [identity, ...(odd.moreUris ?? [])].map((value) => ({ type: "url" as const, value }));
    const names = (odd.dnsNames ?? []).map((value) => ({ type: "dns" as const, value }));
    const leaf = await x509.X509CertificateGenerator.create({
      subject: `CN=${commonName}`,
      issuer: odd.selfSigned === true ? `CN=${commonName}` : this.issuing.subject,
      publicKey: keys.publicKey,
      signingKey: odd.selfSigned === true ? keys.privateKey : this.issuingKeys.privateKey,
      notBefore: odd.notBefore ?? usual.notBefore,
      notAfter: odd.notAfter ?? usual.notAfter,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          ...(odd.usages ?? [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        ]),
        new x509.SubjectAlternativeNameExtension([...uris, ...names]),
      ],
    });
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    const chain = odd.selfSigned === true ? "" : `${this.issuing.toString("pem")}\n`;
    return { certificate: `${leaf.toString("pem")}\n${chain}`, key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") };
  }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
}

function caExtensions(pathLength: number): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}
