/** What the stack of one datacenter tells those of the others: plain data without a secret, its output `datacenter`. */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { ZONES, peerZone, type PeerZone, type ZoneName } from "../../mesh";
import type { TrustText } from "../identity/nobody";
import type { OwnWithdrawal } from "../identity/revocations";
import { TRUST_TEXT, trustProblems } from "../identity/told-trust";

/** Version of {@link DatacenterData}. It goes up with each thing more that is told: an older package refuses what it does not know, rather than to leave it out. */
export const DATACENTER_FORMAT = 2;
/** The one before, which told nothing of withdrawals. It is read, so that datacenters can be updated one after the other. */
const FORMER_FORMAT = 1;

/** What one datacenter tells the others. It is told once all of it is written, so that an update that fails half-way tells nothing new. */
export interface DatacenterData {
  readonly format: typeof DATACENTER_FORMAT;
  readonly datacenter: string;
  /** Whom to believe that he is of a zone there, of the zones whose services call or are called across. */
  readonly trust: Partial<Readonly<Record<ZoneName, TrustText>>>;
  /** What was withdrawn in these zones: certificates, services, authorities. Others cut off what is open by it. */
  readonly withdrawn: readonly OwnWithdrawal[];
  /** Datacenters that had told it their roots when it was deployed. */
  readonly believes: readonly string[];
  /** Digest of the document that it was deployed from. */
  readonly document: string;
}

const schema = z
  .strictObject({
    format: z.literal(DATACENTER_FORMAT),
    datacenter: z.string().min(1),
    trust: z.partialRecord(z.enum(ZONES), z.strictObject(TRUST_TEXT)),
    withdrawn: z.array(
      z.strictObject({ zone: z.enum(ZONES), service: z.string().min(1).exactOptional(), what: z.string().min(1) }),
    ),
    believes: z.array(z.string().min(1)),
    document: z.string().min(1),
  })
  .superRefine(({ datacenter, trust }, context) => {
    for (const [zone, text] of Object.entries(trust) as [ZoneName, TrustText][]) {
      for (const { path, message } of trustProblems(text, peerZone(zone, datacenter)))
        context.addIssue({ code: "custom", message, path: ["trust", zone, path] });
    }
  }) satisfies z.ZodType<DatacenterData>;

/**
 * Reads what the stack of another datacenter said. Nothing is taken for granted: it may come from a file, or from a stack of another release, and whom it names is believed.
 *
 * @param place where it was read, for messages: `stack acme/lucid-mesh/south`
 * @throws RunError with everything that is wrong, and the mend
 */
export function parseDatacenterData(told: unknown, datacenter: string, place: string): DatacenterData {
  const format = typeof told === "object" && told !== null && "format" in told ? told.format : undefined;
  if (format !== undefined && format !== FORMER_FORMAT && format !== DATACENTER_FORMAT)
    throw new pulumi.RunError(
      `${place}: datacenter ${datacenter} tells in format ${JSON.stringify(format)}, and this package reads ${String(FORMER_FORMAT)} and ${String(DATACENTER_FORMAT)}; deploy all datacenters by one release of the package`,
    );
  const value = format === FORMER_FORMAT ? { withdrawn: [], ...(told as object), format: DATACENTER_FORMAT } : told;
  const result = schema.safeParse(value);
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => `  ${["datacenter", ...path].join(".")}: ${message}`);
    throw new pulumi.RunError(
      `${place}: what datacenter ${datacenter} tells can't be used; take its stack's output 'datacenter' as it is\n${lines.join("\n")}`,
    );
  }
  if (result.data.datacenter !== datacenter)
    throw new pulumi.RunError(
      `${place} is that of datacenter ${result.data.datacenter}, not of ${datacenter}; name the right one by lucid-mesh:datacenterStacks`,
    );
  return result.data;
}

/** By what a zone of another datacenter is believed, as far as it was told. */
export function toldTrust(told: ReadonlyMap<string, DatacenterData>, zone: PeerZone): TrustText | undefined {
  const [name, datacenter = ""] = zone.split(".");
  return told.get(datacenter)?.trust[name as ZoneName];
}
