/** Which part of the mesh a stack deploys, and which stacks deploy the others. */
import { z } from "zod";
import { ZONES, type ZoneName } from "../../mesh";
import { fromJson } from "../identity/generations";

/** The whole mesh, or one zone of it: then each of the five is deployed by a stack of its own. */
export const PARTS = ["all", ...ZONES] as const;

export type Part = (typeof PARTS)[number];

/** The part that deploys what is the whole cluster's: discovery, controller, admission policies, the mesh's own images. The others stand on it. */
export const SHARED_PART = "mesh" satisfies ZoneName;

/** The zones that a part makes; the others are made by other stacks. */
export function zonesOfPart(part: Part): readonly ZoneName[] {
  return part === "all" ? ZONES : [part];
}

/** Where another part's stack is: its name, or a file with its output `part`. `null`: there is none, and none is awaited. */
export type PartStacks = Partial<Readonly<Record<ZoneName, string | null>>>;

/** Parses `partStacks`: `{"ops": "acme/lucid-mesh/prod-ops", "wallet": "told/wallet.json", "edge": null}`. */
export const partStacks = z.preprocess(
  fromJson,
  z.partialRecord(
    z.enum(ZONES, `is no part; parts are ${ZONES.join(", ")}`),
    z
      .string("is neither a stack's name, nor a file, nor null")
      .regex(
        /\.json$|^[^/]+\/[^/]+\/[^/]+$/,
        "is neither <organization>/<project>/<stack> nor the path of a .json file",
      )
      .nullable(),
    "is no JSON object by part",
  ),
);

/** Where this run of the program is. */
export interface StackNames {
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
}

/**
 * Where the stack of another part is: what `partStacks` says, or the stack of this one's name with the part in it exchanged (`prod-wallet`, `prod-ops`).
 *
 * @returns `null` where there is none; undefined where nothing tells
 */
export function stackOfPart(
  part: ZoneName,
  own: ZoneName,
  { organization, project, stack }: StackNames,
  stacks: PartStacks = {},
): string | null | undefined {
  const said = stacks[part];
  if (said !== undefined) return said;
  const prefix = stack === own ? "" : stack.endsWith(`-${own}`) ? stack.slice(0, -own.length) : undefined;
  return prefix === undefined ? undefined : `${organization}/${project}/${prefix}${part}`;
}
