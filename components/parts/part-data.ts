/** What the stack of one part of the mesh tells those of the others: plain data without a secret, its output `part`. */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { ZONES, type ZoneName } from "../../mesh";
import type { AcceptedGenerations } from "../identity/generations";
import { TRUST_TEXT, trustProblems } from "../identity/told-trust";
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
    trust: z.strictObject({ ...TRUST_TEXT, generations }),
    believes: z.partialRecord(zone, generations),
    declaration: z.strictObject({ document: text, settings: z.record(z.string(), z.json()) }),
    shared: z.strictObject({ admission: text, startGate: text }).optional(),
  })
  .superRefine(({ part, trust }, context) => {
    for (const { path, message } of trustProblems(trust, part))
      context.addIssue({ code: "custom", message, path: ["trust", path] });
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
