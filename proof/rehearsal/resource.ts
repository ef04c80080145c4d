import { Field } from "../../policies/judgement/field";
import { UNKNOWN } from "../../policies/judgement/plain";
import type { Plain } from "../../policies/judgement/plain";
import type { StackResource } from "../../policies/judgement/rule";

/** What stands on the wire for a value that is not known before the update (`UnknownStringValue` of Pulumi's SDKs). */
export const UNKNOWN_ON_THE_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Properties as the program would send them to the engine, as plain data. */
export function plainInputs(wire: Readonly<Record<string, unknown>>): Plain {
  return decode(wire);
}

function decode(value: unknown): Plain {
  if (value === UNKNOWN_ON_THE_WIRE) return UNKNOWN;
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, decode(field)]));
  throw new TypeError(`a resource property is a ${typeof value}; only JSON values go over the wire`);
}

/** A resource that a program would register. */
export class RehearsedResource implements StackResource {
  readonly properties: Field;

  /**
   * @param inputs after all transforms
   * @param sources URNs of the resources that each property's value comes from
   */
  constructor(
    readonly urn: string,
    readonly type: string,
    readonly name: string,
    inputs: Plain,
    private readonly sources: ReadonlyMap<string, readonly string[]>,
    private readonly resourceOf: (urn: string) => RehearsedResource | undefined,
  ) {
    this.properties = new Field(inputs);
  }

  origins(property: string): readonly RehearsedResource[] {
    return (this.sources.get(property) ?? []).flatMap((urn) => this.resourceOf(urn) ?? []);
  }
}
