// The library below decorates classes and needs this first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { webcrypto } from "node:crypto";
import type { ZoneName } from "../../../mesh";
import type { Credentials } from "./handshake";
import { pulumi } from "./pulumi";

x509.cryptoProvider.set(webcrypto as never);

const EC: webcrypto.EcKeyGenParams & webcrypto.EcdsaParams = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

interface ExportedResource {
  readonly urn: string;
  readonly outputs?: Record<string, unknown>;
}

export interface Forgery {
  /** Zone whose issuing authority signs. */
  readonly signer: ZoneName;
  readonly uri: string;
  /** Default: none. */
  readonly hostNames?: readonly string[];
  /** In hexadecimal. Default: a fixed one. */
  readonly serialNumber?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A certificate that a zone's real issuing authority signs, saying whatever the test wants: the authority's key is read from the stack's state. */
export async function forge(forgery: Forgery): Promise<Credentials> {
  const state = await stateResources();
  const issuingPem = output(state, `${forgery.signer}-ca-issuing`, "certPem");
  const issuingKey = await importKey(output(state, `${forgery.signer}-ca-issuing-key`, "privateKeyPemPkcs8"));
  const keys = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: forgery.serialNumber ?? "0f0e0d",
    subject: "CN=forged",
    issuer: new x509.X509Certificate(issuingPem).subject,
    notBefore: forgery.notBefore ?? new Date(now - 60_000),
    notAfter: forgery.notAfter ?? new Date(now + 3_600_000),
    publicKey: keys.publicKey,
    signingKey: issuingKey,
    signingAlgorithm: EC,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: "url", value: forgery.uri },
        ...(forgery.hostNames ?? []).map((value) => ({ type: "dns" as const, value })),
      ]),
    ],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { cert: `${certificate.toString("pem")}\n${issuingPem}`, key };
}

let exported: Promise<readonly ExportedResource[]> | undefined;

function stateResources(): Promise<readonly ExportedResource[]> {
  exported ??= pulumi("stack", "export", "--show-secrets").then(({ status, output: text }) => {
    if (status !== 0) throw new Error("the stack's state could not be exported");
    const state = JSON.parse(text) as { deployment: { resources: ExportedResource[] } };
    return state.deployment.resources;
  });
  return exported;
}

function output(resources: readonly ExportedResource[], name: string, property: string): string {
  const value = resources.find(({ urn }) => urn.endsWith(`::${name}`))?.outputs?.[property];
  const plain: unknown =
    typeof value === "object" && value !== null && "plaintext" in value ? JSON.parse(String(value.plaintext)) : value;
  if (typeof plain !== "string") throw new Error(`the state has no ${property} of ${name}`);
  return plain;
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(pem), EC, false, ["sign"]);
}
