import type { LocallySignedCertArgs, SelfSignedCertArgs } from "@pulumi/tls";

import type { Field, FieldsOf } from "../protocol/fields";
import type { Properties } from "../protocol/values";
import type { Issued, Validity } from "./certificates";
import { ALLOWED_USES } from "./extensions";

const HOUR_MS = 3_600_000;

const flag: Field = { type: "boolean", default: false };

type Shared =
  "validityPeriodHours" | "allowedUses" | "earlyRenewalHours" | "isCaCertificate" | "maxPathLength" | "setSubjectKeyId";

/** Inputs that self-signed and locally signed certificates have alike. */
export const VALIDITY_FIELDS: Pick<FieldsOf<SelfSignedCertArgs>, Shared> &
  Pick<FieldsOf<LocallySignedCertArgs>, Shared> = {
  validityPeriodHours: { type: "integer", required: true, min: 0 },
  allowedUses: { type: "strings", required: true, oneOf: ALLOWED_USES },
  earlyRenewalHours: { type: "integer", default: 0, min: 0, inPlace: true },
  isCaCertificate: flag,
  maxPathLength: { type: "integer", min: -1 },
  setSubjectKeyId: flag,
};

/** Outputs that a certificate has once it is issued. */
export const CERTIFICATE_OUTPUTS: readonly string[] = ["certPem", "validityStartTime", "validityEndTime"];

export function certificateOutputs(certificate: Issued): Properties {
  return {
    certPem: certificate.pem,
    validityStartTime: certificate.notBefore.toISOString(),
    validityEndTime: certificate.notAfter.toISOString(),
  };
}

export function validityOf(inputs: Properties): Validity {
  const { maxPathLength } = inputs;
  return {
    hours: Number(inputs.validityPeriodHours),
    allowedUses: Array.isArray(inputs.allowedUses) ? inputs.allowedUses.filter((use) => typeof use === "string") : [],
    isCa: inputs.isCaCertificate === true,
    maxPathLength: typeof maxPathLength === "number" && maxPathLength > 0 ? maxPathLength : undefined,
    setSubjectKeyId: inputs.setSubjectKeyId === true,
  };
}

/** A certificate whose window of renewal is as long as its life is due from the start. */
export function initialReadiness(inputs: Properties): Properties {
  const hours = inputs.validityPeriodHours;
  const early = inputs.earlyRenewalHours;
  return { readyForRenewal: typeof hours === "number" && typeof early === "number" && early >= hours };
}

/** A certificate is made anew from `earlyRenewalHours` before its end on. */
export function isDue(state: Properties, now = Date.now()): boolean {
  const end = typeof state.validityEndTime === "string" ? Date.parse(state.validityEndTime) : Number.NaN;
  const early = typeof state.earlyRenewalHours === "number" ? state.earlyRenewalHours : 0;
  return now >= end - early * HOUR_MS;
}

/** The life of a certificate, as {@link immutable} takes it. */
export const RENEWAL = {
  derive: initialReadiness,
  refresh: (outputs: Properties): Properties => (isDue(outputs) ? { readyForRenewal: true } : {}),
  replaceFor: (state: Properties): string | undefined => (isDue(state) ? "readyForRenewal" : undefined),
};
