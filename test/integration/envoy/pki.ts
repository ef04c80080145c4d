import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { revocationList, type RevokedSerial } from "../../../components/identity/revocation-list";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

x509.cryptoProvider.set(webcrypto);

/** A certificate chain and its key, as PEM. */
export interface Leaf {
  readonly certificate: string;
  readonly key: string;
  /** Of the leaf: lower-case hexadecimal without leading zeros. */
  readonly serial: string;
}

/** What a peer must have of a zone: its roots, and the revocation lists of its issuing authorities, as PEM. */
export interface TrustBundle {
  readonly roots: string;
  readonly revocations: string;
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
    private readonly rootKeys: webcrypto.CryptoKeyPair,
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
      extensions: await caExtensions(1, rootKeys, rootKeys),
    });
    return Authority.under(name, root.toString("pem"), rootKeys, `CN=${name} issuing`);
  }

  /** Another issuing CA under the same root. */
  async successor(): Promise<Authority> {
    return Authority.under(this.name, this.rootPem, this.rootKeys, `${this.issuing.subject} 2`);
  }

  private static async under(
    name: string,
    rootPem: string,
    rootKeys: webcrypto.CryptoKeyPair,
    subject: string,
  ): Promise<Authority> {
    const issuingKeys = await newKeys();
    const issuing = await x509.X509CertificateGenerator.create({
      subject,
      issuer: new x509.X509Certificate(rootPem).subject,
      publicKey: issuingKeys.publicKey,
      signingKey: rootKeys.privateKey,
      ...validity(),
      signingAlgorithm: ALGORITHM,
      extensions: await caExtensions(0, issuingKeys, rootKeys),
    });
    return new Authority(name, rootPem, rootKeys, issuing, issuingKeys);
  }

  /** What the zone's issuer signs by, as its Secret holds it. */
  async signer(): Promise<Pick<Leaf, "certificate" | "key">> {
    return { certificate: `${this.issuing.toString("pem")}\n`, key: `${await privatePem(this.issuingKeys)}\n` };
  }

  /** The issuing CA's revocation list, made as the program makes it. */
  async revocations(revoked: readonly RevokedSerial[] = []): Promise<string> {
    return revocationList(this.issuing.toString("pem"), await privatePem(this.issuingKeys), revoked);
  }

  /** What peers are given of the zone. */
  async bundle(revoked: readonly RevokedSerial[] = []): Promise<TrustBundle> {
    return { roots: `${this.rootPem}\n`, revocations: await this.revocations(revoked) };
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
        await x509.AuthorityKeyIdentifierExtension.create(this.issuingKeys.publicKey),
      ],
    });
    const chain = odd.selfSigned === true ? "" : `${this.issuing.toString("pem")}\n`;
    return {
      certificate: `${leaf.toString("pem")}\n${chain}`,
      key: await privatePem(keys),
      serial: BigInt(`0x${leaf.serialNumber}`).toString(16),
    };
  }
}

/** Several authorities of one zone, believed at once. Of those under one root, the root stands there once. */
export async function bundleOf(...authorities: readonly Authority[]): Promise<TrustBundle> {
  const lists = await Promise.all(authorities.map((authority) => authority.revocations()));
  const roots = new Set(authorities.map(({ rootPem }) => `${rootPem}\n`));
  return { roots: [...roots].join(""), revocations: lists.join("") };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
}

async function caExtensions(
  pathLength: number,
  own: webcrypto.CryptoKeyPair,
  signer: webcrypto.CryptoKeyPair,
): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(own.publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey),
  ];
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
}

/** Both trusted at once. */
export function joined(one: TrustBundle, other: TrustBundle): TrustBundle {
  return { roots: one.roots + other.roots, revocations: one.revocations + other.revocations };
}
