import * as pulumi from "@pulumi/pulumi";
import { ZONES, type ZoneName } from "../../mesh";
import type { Settings } from "../stack/settings";
import { outputsOf, toldBy, type AskOutputs } from "../stack/told";
import { stackOfPart, type StackNames } from "./part";
import { parsePartData, type PartData } from "./part-data";

/** The output in which a stack tells the others of its part. */
const OUTPUT = "part";

/** What the stacks of the other parts told. */
export interface ToldParts {
  /** By part; one that is not deployed has told nothing. */
  readonly told: ReadonlyMap<ZoneName, PartData>;
  /** Where each part's stack was looked for, for messages: `stack organization/lucid-mesh/prod-ops`. */
  readonly places: ReadonlyMap<ZoneName, string>;
}

/**
 * Reads what the stacks of the other parts told, each from its last outputs: nothing is registered for it, and nothing else of their state is read. Secrets among
 * their outputs, if there were any, would need their keys.
 *
 * @param own the part that this stack deploys
 * @throws RunError where a stack can't be found or read, or what it tells can't be used; where one from which this stack had roots tells nothing any more
 */
export async function readParts(
  own: ZoneName,
  { partStacks = {} }: Pick<Settings, "partStacks">,
  names: StackNames = {
    organization: pulumi.getOrganization(),
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
  },
  ask: AskOutputs = outputsOf,
): Promise<ToldParts> {
  const told = new Map<ZoneName, PartData>();
  const places = new Map<ZoneName, string>();
  for (const part of ZONES.filter((zone) => zone !== own)) {
    const stack = stackOfPart(part, own, names, partStacks);
    if (stack === undefined) throw nowhere(own, part, names.stack);
    if (stack === null) continue;
    const [place, data] = await partOf(stack, part, ask);
    places.set(part, place);
    if (data !== undefined) told.set(part, data);
  }
  const before = await ask(`${names.organization}/${names.project}/${names.stack}`).catch(() => undefined);
  refuseLost(before?.[OUTPUT], told, places);
  return { told, places };
}

function partOf(
  stack: string,
  part: ZoneName,
  ask: AskOutputs,
): Promise<readonly [place: string, data: PartData | undefined]> {
  return toldBy(
    stack,
    {
      output: OUTPUT,
      whom: `part ${part}`,
      setting: `lucid-mesh:part to ${part}`,
      key: "lucid-mesh:partStacks",
      parse: (value, place) => parsePartData(value, part, place),
    },
    ask,
  );
}

/** A stack that was renamed, or a name that is mistyped, would close calls that are open. @throws RunError */
function refuseLost(before: unknown, told: ToldParts["told"], places: ToldParts["places"]): void {
  const isTold = typeof before === "object" && before !== null && !pulumi.isUnknown(before);
  const believed = isTold && "believes" in before ? before.believes : undefined;
  const lost = ZONES.filter(
    (zone) =>
      typeof believed === "object" &&
      believed !== null &&
      Object.hasOwn(believed, zone) &&
      places.has(zone) &&
      !told.has(zone),
  );
  if (lost.length === 0) return;
  const missing = lost.map((zone) => `part ${zone} (${places.get(zone) ?? ""})`).join(", ");
  const gone = JSON.stringify(Object.fromEntries(lost.map((zone) => [zone, null])));
  throw new pulumi.RunError(
    `this stack has the roots of ${missing}, which is not there any more, so that its calls would be closed; name it by lucid-mesh:partStacks, or, where it is gone for good, say lucid-mesh:partStacks: '${gone}'`,
  );
}

function nowhere(own: ZoneName, part: ZoneName, stack: string): pulumi.RunError {
  return new pulumi.RunError(
    `lucid-mesh:part is ${own}, and the name of this stack (${stack}) does not end with '-${own}', so where part ${part} is can't be told; ` +
      `name the stacks alike (prod-${own}, prod-${part}), or say lucid-mesh:partStacks: '{"${part}": "<organization>/<project>/<stack>", …}'`,
  );
}
