/** What a sidecar says of itself when it is inspected. Pure. */
import { z } from "zod";
import { detached } from "../detached.js";
import type { VersionedFile } from "./files.js";

/** By what a sidecar runs. */
export interface SidecarState {
  /** The version of each file that it accepted last as a whole; empty where it accepted none. */
  readonly running: Readonly<Record<VersionedFile, string>>;
  /** Versions of each file that it rejected, or a part of, since it started. */
  readonly rejected: Readonly<Record<VersionedFile, number>>;
  /** Times that it accepted a version of each file as a whole since it started. */
  readonly accepted: Readonly<Record<VersionedFile, number>>;
  /** Listeners that take connections. */
  readonly listeners: number;
}

/** A certificate that a sidecar shows its peers. */
export interface ServedCertificate {
  /** In lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** Its URI names. */
  readonly uris: readonly string[];
  /** Milliseconds since 1970. */
  readonly end: number;
}

const LDS = "listener_manager.lds";
const CDS = "cluster_manager.cds";

/** @throws Error where it is no answer of an Envoy of ours */
export function parseState(text: string): SidecarState {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) values.set(line.slice(0, colon), line.slice(colon + 2).trim());
  }
  const version = (prefix: string): string => {
    const [, found] = /^"(.*)"$/.exec(values.get(`${prefix}.version_text`) ?? "") ?? [];
    if (found === undefined) throw new Error(`it does not say ${prefix}.version_text`);
    return detached(found);
  };
  const count = (name: string): number => {
    const found = values.get(name) ?? "";
    if (!/^\d+$/.test(found)) throw new Error(`it does not say ${name}`);
    return Number(found);
  };
  return {
    running: { "listeners.yaml": version(LDS), "clusters.yaml": version(CDS) },
    rejected: { "listeners.yaml": count(`${LDS}.update_rejected`), "clusters.yaml": count(`${CDS}.update_rejected`) },
    accepted: { "listeners.yaml": count(`${LDS}.update_success`), "clusters.yaml": count(`${CDS}.update_success`) },
    listeners: count("listener_manager.total_listeners_active"),
  };
}

const certificate = z.object({
  serial_number: z.string().transform((text) => text.toLowerCase().replace(/^0+(?=.)/, "")),
  subject_alt_names: z.array(z.object({ uri: z.string().optional() })).default([]),
  expiration_time: z.string().transform((text, context) => {
    const time = Date.parse(text);
    if (!Number.isNaN(time)) return time;
    context.addIssue({ code: "custom", message: "is no instant" });
    return z.NEVER;
  }),
});
const schema = z.object({
  certificates: z.array(z.object({ cert_chain: z.array(certificate).default([]) })).default([]),
});

/**
 * The certificates that it shows, each once: every TLS context names its own, and all of them should be the same.
 *
 * @throws ZodError, SyntaxError where it is no answer of an Envoy
 */
export function parseCertificates(text: string): readonly ServedCertificate[] {
  const all = schema.parse(JSON.parse(text)).certificates.flatMap(({ cert_chain: chain }) => chain);
  const served = all.map(({ serial_number: serial, subject_alt_names: names, expiration_time: end }) => ({
    serial,
    uris: names.flatMap(({ uri }) => uri ?? []),
    end,
  }));
  // An issuer may give two certificates within an hour the same serial number.
  return [...new Map(served.map((one) => [JSON.stringify(one), one])).values()];
}
