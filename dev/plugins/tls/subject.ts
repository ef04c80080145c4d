import type * as x509 from "@peculiar/x509";
import type { CertRequestArgs, types } from "@pulumi/tls";

import type { Field, FieldsOf } from "../protocol/fields";
import { isProperties, type Value } from "../protocol/values";

const text: Field = { type: "string" };

/** Members of a certificate's subject. */
export const SUBJECT_FIELDS: FieldsOf<types.input.CertRequestSubject> & FieldsOf<types.input.SelfSignedCertSubject> = {
  commonName: text,
  country: text,
  emailAddress: text,
  locality: text,
  organization: text,
  organizationalUnit: text,
  postalCode: text,
  province: text,
  serialNumber: text,
  streetAddresses: { type: "strings" },
};

/** Attribute types of the subject's members, in the order in which Go's library writes them. */
const ATTRIBUTES: readonly (readonly [input: keyof typeof SUBJECT_FIELDS, attribute: string])[] = [
  ["country", "2.5.4.6"],
  ["organization", "2.5.4.10"],
  ["organizationalUnit", "2.5.4.11"],
  ["locality", "2.5.4.7"],
  ["province", "2.5.4.8"],
  ["streetAddresses", "2.5.4.9"],
  ["postalCode", "2.5.4.17"],
  ["commonName", "2.5.4.3"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", "1.2.840.113549.1.9.1"],
];

/** A subject as the library takes it; empty where none is given. */
export function subjectName(subject: Value | undefined): x509.JsonName {
  if (!isProperties(subject)) {
    return [];
  }
  return ATTRIBUTES.flatMap(([input, attribute]) => {
    const given = subject[input];
    const values = (Array.isArray(given) ? given : [given]).filter((value) => typeof value === "string");
    return values.length === 0 ? [] : [{ [attribute]: values }];
  });
}

/** Subject and alternative names, which a request and a self-signed certificate have alike. */
export const NAME_FIELDS: Pick<FieldsOf<CertRequestArgs>, "subject" | "dnsNames" | "ipAddresses" | "uris"> = {
  subject: { type: SUBJECT_FIELDS },
  dnsNames: { type: "strings" },
  ipAddresses: { type: "strings" },
  uris: { type: "strings" },
};
