import type { CertRequestArgs, LocallySignedCertArgs, PrivateKeyArgs, SelfSignedCertArgs } from "@pulumi/tls";
import { version } from "@pulumi/tls/package.json";

import type { Field, FieldsOf } from "../protocol/fields";
import { immutable } from "../protocol/immutable";
import type { ProviderImplementation } from "../protocol/provider";
import type { Properties, Value } from "../protocol/values";
import { certificateRequest, locallySigned, selfSigned } from "./certificates";
import type { Names } from "./extensions";
import { ALGORITHMS, CURVES, generateKey, keyTexts } from "./keys";
import { NAME_FIELDS, subjectName } from "./subject";
import { CERTIFICATE_OUTPUTS, certificateOutputs, RENEWAL, VALIDITY_FIELDS, validityOf } from "./validity";

const pem: Field = { type: "string", required: true };
const writeOnly: Field = { type: "string", notImplemented: true };
const writeOnlyVersion: Field = { type: "integer", notImplemented: true };

const PRIVATE_KEY: FieldsOf<PrivateKeyArgs> = {
  algorithm: { type: "string", required: true, oneOf: ALGORITHMS },
  rsaBits: { type: "integer", default: 2048 },
  ecdsaCurve: { type: "string", default: "P224", oneOf: CURVES },
};
const CERT_REQUEST: FieldsOf<CertRequestArgs> = {
  ...NAME_FIELDS,
  privateKeyPem: pem,
  privateKeyPemWo: writeOnly,
  privateKeyPemWoVersion: writeOnlyVersion,
};
const SELF_SIGNED: FieldsOf<SelfSignedCertArgs> = {
  ...CERT_REQUEST,
  ...VALIDITY_FIELDS,
  setAuthorityKeyId: { type: "boolean", default: false },
};
const LOCALLY_SIGNED: FieldsOf<LocallySignedCertArgs> = {
  ...VALIDITY_FIELDS,
  certRequestPem: pem,
  caCertPem: pem,
  caPrivateKeyPem: pem,
  caPrivateKeyPemWo: writeOnly,
  caPrivateKeyPemWoVersion: writeOnlyVersion,
};

/** The stand-in for the `tls` plugin: PrivateKey, CertRequest, SelfSignedCert and LocallySignedCert. */
export function tlsProvider(): ProviderImplementation {
  return {
    name: "tls",
    version,
    // The official provider's `proxy` is for data sources that the mesh doesn't use.
    configKeys: [],
    configure: () => Promise.resolve(),
    resources: {
      "tls:index/privateKey:PrivateKey": immutable({
        fields: PRIVATE_KEY,
        computed: [
          "privateKeyPem",
          "privateKeyPemPkcs8",
          "privateKeyOpenssh",
          "publicKeyPem",
          "publicKeyOpenssh",
          "publicKeyFingerprintMd5",
          "publicKeyFingerprintSha256",
        ],
        secretOutputs: ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"],
        make: async (inputs) => {
          const key = await generateKey(text(inputs.algorithm), Number(inputs.rsaBits), text(inputs.ecdsaCurve));
          const texts = keyTexts(key);
          return {
            id: texts.fingerprint,
            outputs: {
              privateKeyPem: texts.traditional,
              privateKeyPemPkcs8: texts.pkcs8,
              privateKeyOpenssh: texts.openssh,
              publicKeyPem: texts.publicPem,
              publicKeyOpenssh: texts.publicOpenssh,
              publicKeyFingerprintMd5: texts.md5,
              publicKeyFingerprintSha256: texts.sha256,
            },
          };
        },
      }),
      "tls:index/certRequest:CertRequest": immutable({
        fields: CERT_REQUEST,
        computed: ["certRequestPem", "keyAlgorithm"],
        secretOutputs: ["privateKeyPem"],
        make: async (inputs) => {
          const subject = subjectName(inputs.subject);
          const request = await certificateRequest(text(inputs.privateKeyPem), subject, names(inputs));
          return { id: request.id, outputs: { certRequestPem: request.pem, keyAlgorithm: request.algorithm } };
        },
      }),
      "tls:index/selfSignedCert:SelfSignedCert": immutable({
        ...RENEWAL,
        fields: SELF_SIGNED,
        computed: [...CERTIFICATE_OUTPUTS, "keyAlgorithm"],
        secretOutputs: ["privateKeyPem"],
        make: async (inputs) => {
          const certificate = await selfSigned(
            text(inputs.privateKeyPem),
            subjectName(inputs.subject),
            names(inputs),
            validityOf(inputs),
            inputs.setAuthorityKeyId === true,
          );
          const outputs = { ...certificateOutputs(certificate), keyAlgorithm: certificate.algorithm };
          return { id: certificate.serial, outputs };
        },
      }),
      "tls:index/locallySignedCert:LocallySignedCert": immutable({
        ...RENEWAL,
        fields: LOCALLY_SIGNED,
        computed: [...CERTIFICATE_OUTPUTS, "caKeyAlgorithm"],
        secretOutputs: ["caPrivateKeyPem"],
        make: async (inputs) => {
          const certificate = await locallySigned(
            text(inputs.certRequestPem),
            text(inputs.caCertPem),
            text(inputs.caPrivateKeyPem),
            validityOf(inputs),
          );
          const outputs = { ...certificateOutputs(certificate), caKeyAlgorithm: certificate.algorithm };
          return { id: certificate.serial, outputs };
        },
      }),
    },
  };
}

function names(inputs: Properties): Names {
  return { dnsNames: list(inputs.dnsNames), ipAddresses: list(inputs.ipAddresses), uris: list(inputs.uris) };
}

function list(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map((item) => text(item)) : [];
}

function text(value: Value | undefined): string {
  if (typeof value !== "string") {
    throw new Error("a text was expected");
  }
  return value;
}
