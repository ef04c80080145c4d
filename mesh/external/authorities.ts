/** Certificates of the authorities that sign a service outside the cluster. */
import { X509Certificate } from "node:crypto";

const BLOCKS = /^(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n)+$/;

/** What is wrong with the PEM text of a bundle, and the mend, as `what is wrong; mend`; undefined where it can be trusted. */
export function authoritiesProblem(text: string): string | undefined {
  if (/PRIVATE KEY/.test(text)) {
    return "this holds a private key, which whoever reads the document now has; take it out, and have its owner make another";
  }
  const pem = normalizedPem(text);
  if (!BLOCKS.test(pem)) {
    return "this is no list of PEM certificates; write the authorities' certificates and nothing else";
  }
  for (const block of pemBlocks(pem)) {
    const certificate = parsed(block);
    if (certificate === undefined) return "a certificate can't be read; copy it whole, first and last line included";
    if (!certificate.ca) {
      return "a certificate is no authority's, so that it can sign nobody; write that of the authority which signed it";
    }
  }
  return undefined;
}

/** The same text with the line ends of Unix, no blanks around lines, no empty ones, and a line end last. */
export function normalizedPem(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return `${lines.filter((line) => line !== "").join("\n")}\n`;
}

function pemBlocks(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
