/** What the stack of one part of the mesh tells those of the others: plain data without a secret, its output `part`. */
import * as pulumi from "@pulumi/pulumi";
import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { ZONES, trustDomainOf, type ZoneName } from "../../mesh";
import type { AcceptedGenerations } from "../identity/generations";
import { blocksOf, commonNameOf, issuerGeneration, listIssuerOf, rootGeneration } from "./believed";
import type { SharedSettings } from "./shared-settings";

/** Version of {@link PartData}. It goes up when parts deployed by an older package could not go on beside this one's. */
export const PART_FORMAT = 1;

/** What one part tells the others. It is told once all of it is written, so that an update that fails half-way tells nothing new. */
export interface PartData {
  readonly format: typeof PART_FORMAT;
  readonly part: ZoneName;
  /** Whom to believe that he is of this zone. */
  readonly trust: {
    readonly rootsPem: string;
    readonly revocationsPem: string;
    readonly generations: AcceptedGenerations;
  };
  /** Whom its own sidecars believe, of the zones with whose services they speak: those generations of them that were told when it was deployed. */
  readonly believes: Partial<Readonly<Record<ZoneName, AcceptedGenerations>>>;
  /** What it was deployed from. */
  readonly declaration: {
    /** Digest of the document. */
    readonly document: string;
    readonly settings: SharedSettings;
  };
  /** Of part `mesh` alone: what the others stand on. */
  readonly shared?: SharedBasis;
}

/** What part `mesh` deploys for all parts. */
export interface SharedBasis {
  /** Generation of the admission policies that are in force. */
  readonly admission: string;
  /** Image of the start gate that is in the registry. */
  readonly startGate: string;
}

const text = z.string().min(1);
const zone = z.enum(ZONES);
const generations = z.strictObject({ roots: z.array(z.int()), issuers: z.array(z.int()) });

const schema = z
  .strictObject({
    format: z.literal(PART_FORMAT),
    part: zone,
    trust: z.strictObject({ rootsPem: pems("CERTIFICATE"), revocationsPem: pems("X509 CRL"), generations }),
    believes: z.partialRecord(zone, generations),
    declaration: z.strictObject({ document: text, settings: z.record(z.string(), z.json()) }),
    shared: z.strictObject({ admission: text, startGate: text }).optional(),
  })
  .superRefine(({ part, trust }, context) => {
    const say = (message: string, path: string) => {
      context.addIssue({ code: "custom", message, path: ["trust", path] });
    };
    if (blocksOf(trust.rootsPem).some((root) => !isRootOf(root, part)))
      say(
        `has what is no root of zone ${part}: one is named CN=${trustDomainOf(part)} root, and signs itself`,
        "rootsPem",
      );
    if (blocksOf(trust.revocationsPem).some((list) => issuerGeneration(listIssuerOf(list), part) === undefined))
      say(`has a list of no issuing authority of zone ${part}`, "revocationsPem");
  }) satisfies z.ZodType<PartData>;

/**
 * Reads what the stack of another part said. Nothing is taken for granted: it may come from a file, or from a stack of another release, and whom it names is believed.
 *
 * @param source where it was read, for messages: `stack organization/lucid-mesh/prod-ops`
 * @throws RunError with everything that is wrong, and the mend
 */
export function parsePartData(value: unknown, part: ZoneName, source: string): PartData {
  const format = typeof value === "object" && value !== null && "format" in value ? value.format : undefined;
  if (format !== undefined && format !== PART_FORMAT)
    throw new pulumi.RunError(
      `${source}: part ${part} tells in format ${JSON.stringify(format)}, and this package reads ${String(PART_FORMAT)}; deploy all parts by one release of the package`,
    );
  const result = schema.safeParse(value);
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => `  ${["part", ...path].join(".")}: ${message}`);
    throw new pulumi.RunError(
      `${source}: what part ${part} tells can't be used; take its stack's output 'part' as it is\n${lines.join("\n")}`,
    );
  }
  if (result.data.part !== part)
    throw new pulumi.RunError(
      `${source} is that of part ${result.data.part}, not of part ${part}; name the right one by lucid-mesh:partStacks`,
    );
  return result.data;
}

/** One or more PEM blocks of a kind, and nothing else: no key among them. */
function pems(kind: string) {
  const form = new RegExp(`^(-----BEGIN ${kind}-----\\n[A-Za-z0-9+/=\\n]+-----END ${kind}-----\\n*)+$`);
  return z.string().regex(form, `is something else than PEM of the kind ${kind}`);
}

/** By its name and its own signature. That it is the zone's own is what its stack vouches for. */
function isRootOf(pem: string, part: ZoneName): boolean {
  if (rootGeneration(commonNameOf(pem), part) === undefined) return false;
  const root = new X509Certificate(pem);
  return root.ca && root.checkIssued(root) && root.verify(root.publicKey);
}
