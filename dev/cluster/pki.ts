import { webcrypto } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

// The library below resolves its parts by decorators.
import "reflect-metadata";

import * as x509 from "@peculiar/x509";

import { network, registryHost, type NodeMachine } from "./layout";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const validDays = 365;
/** A certificate that ends sooner than this is made anew by the next `up`. */
const renewDays = 30;
const day = 24 * 3600 * 1000;

/** A certificate and its key, as files. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate of the cluster says. */
export interface LeafRequest {
  readonly commonName: string;
  /** Kubernetes reads the organisation as the group of the user. */
  readonly organization?: string;
  readonly dns?: readonly string[];
  readonly addresses?: readonly string[];
  readonly usages: readonly ("server" | "client")[];
}

/** The cluster's certificates below one directory; each is made when it is first asked for. */
export class Pki {
  /** What is made or being made: who asks for the same at the same time gets the same. */
  private readonly made = new Map<string, Promise<KeyPair>>();

  constructor(private readonly directory: string) {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** The certificate and key of authority `name`. */
  authority(name: string): Promise<KeyPair> {
    return this.once(`${name}-ca`, (files) => this.makeAuthority(name, files));
  }

  /** A certificate of authority `authorityName`, kept in `<name>.crt` and `<name>.key`. */
  leaf(authorityName: string, name: string, request: LeafRequest): Promise<KeyPair> {
    return this.once(name, (files) => this.makeLeaf(authorityName, files, request));
  }

  /** The key that signs service-account tokens: `certificate` is its public half. */
  tokenKey(): Promise<KeyPair> {
    return this.once("tokens", makeTokenKey, "pub");
  }

  private once(name: string, make: (files: KeyPair) => Promise<void>, extension = "crt"): Promise<KeyPair> {
    const known = this.made.get(name);
    if (known !== undefined) {
      return known;
    }
    const file = path.join(this.directory, name);
    const files = { certificate: `${file}.${extension}`, key: `${file}.key` };
    const making = make(files).then(() => files);
    this.made.set(name, making);
    return making;
  }

  private async makeAuthority(name: string, files: KeyPair): Promise<void> {
    if (!usable(files)) {
      const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
      const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        ...validity(10 * validDays),
        name: `CN=lucid-mesh-${name}-ca`,
        keys,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      await save(files, certificate, keys.privateKey);
    }
  }

  private async makeLeaf(authorityName: string, files: KeyPair, request: LeafRequest): Promise<void> {
    const authority = await this.authority(authorityName);
    const issuer = new x509.X509Certificate(fs.readFileSync(authority.certificate, "utf8"));
    if (usable(files, issuer)) {
      return;
    }
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const usages = request.usages.map((usage) =>
      usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
    );
    const names: x509.JsonGeneralNames = [
      ...(request.dns ?? []).map((value) => ({ type: "dns" as const, value })),
      ...(request.addresses ?? []).map((value) => ({ type: "ip" as const, value })),
    ];
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(validDays),
      subject: subjectOf(request),
      issuer: issuer.subject,
      publicKey: keys.publicKey,
      signingKey: await importKey(authority.key),
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(usages),
        await x509.AuthorityKeyIdentifierExtension.create(issuer),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    });
    await save(files, certificate, keys.privateKey);
  }
}

/** Names and addresses under which the API server is asked: from pods, nodes, and the host's loopback. */
export const apiServerNames = {
  dns: [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
  ],
  addresses: [network.apiService, network.controlPlaneAddress, "127.0.0.1"],
};

/** What the registry's certificate says. */
export const registryRequest: LeafRequest = {
  commonName: registryHost,
  dns: [registryHost],
  addresses: [network.builderAddress],
  usages: ["server"],
};

/** Certificate with which a kubelet serves and, as the user `system:node:<name>`, asks the API server. */
export function kubeletRequest(node: NodeMachine): LeafRequest {
  return {
    commonName: `system:node:${node.name}`,
    organization: "system:nodes",
    dns: [node.name],
    addresses: [node.address],
    usages: ["server", "client"],
  };
}

async function makeTokenKey(files: KeyPair): Promise<void> {
  if (!fs.existsSync(files.key) || !fs.existsSync(files.certificate)) {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const publicKey = await webcrypto.subtle.exportKey("spki", keys.publicKey);
    await writeKey(files.key, keys.privateKey);
    fs.writeFileSync(files.certificate, `${x509.PemConverter.encode(publicKey, "PUBLIC KEY")}\n`);
  }
}

function subjectOf(request: LeafRequest): string {
  const organization = request.organization === undefined ? "" : `O=${request.organization}, `;
  return `${organization}CN=${request.commonName}`;
}

function validity(days: number): { notBefore: Date; notAfter: Date; serialNumber: string } {
  return {
    // Clocks of containers and host are one, but a token of the same second should not be "not yet valid".
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + days * day),
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString("hex"),
  };
}

/** Both files are there, the certificate lasts, and `issuer` signed it. */
function usable(files: KeyPair, issuer?: x509.X509Certificate): boolean {
  if (!fs.existsSync(files.key) || !fs.existsSync(files.certificate)) {
    return false;
  }
  const certificate = new x509.X509Certificate(fs.readFileSync(files.certificate, "utf8"));
  if (certificate.notAfter.getTime() < Date.now() + renewDays * day) {
    return false;
  }
  const authorityKey = certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
  return issuer === undefined || authorityKey === issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
}

async function save(files: KeyPair, certificate: x509.X509Certificate, key: webcrypto.CryptoKey): Promise<void> {
  await writeKey(files.key, key);
  fs.writeFileSync(files.certificate, `${certificate.toString("pem")}\n`, { mode: 0o644 });
}

async function writeKey(file: string, key: webcrypto.CryptoKey): Promise<void> {
  const pem = x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
  fs.writeFileSync(file, `${pem}\n`, { mode: 0o600 });
}

async function importKey(file: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(fs.readFileSync(file, "utf8"));
  if (der === undefined) {
    throw new Error(`${file} holds no key`);
  }
  return webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}
