import { z } from "zod";

/** A part of an OpenAPI v3 schema as a CustomResourceDefinition takes it. */
export interface StructuralSchema {
  readonly type?: string;
  readonly [key: string]: unknown;
}

/**
 * The structural schema of a zod type: what the API server validates, and prunes by. Where zod is strict the API server refuses or prunes what is not named, so
 * `additionalProperties: false`, which such a schema may not say beside `properties`, is left out.
 *
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function structuralSchema(type: z.ZodType): StructuralSchema {
  return structural(z.toJSONSchema(type, { target: "openapi-3.0", unrepresentable: "throw" })) as StructuralSchema;
}

function structural(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structural);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key, field]) => !(key === "additionalProperties" && field === false))
    .map(([key, field]) => [key, structural(field)] as const);
  return Object.fromEntries(entries);
}
