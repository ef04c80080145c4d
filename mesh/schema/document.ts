/**
 * The shape of `mesh.yaml`: keys, types, defaults and what can be said about one value alone; each part in a file of its own. What concerns several
 * values stands in ../checks/. The JSON Schema for editors (mesh.schema.json) is made from this source, so every key has its description here.
 */
import { z } from "zod";
import { authentication } from "./authentication";
import { datacenters } from "./datacenters";
import { service } from "./service";
import { documentTraffic } from "./traffic";
import { zone } from "./zone";

/** The version of the document's format. */
export const API_VERSION = "mesh.lucid.internal/v1";

/** The document, as zod reads it. */
export const meshDocumentSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION).describe("The version of this format."),
  zones: z
    .strictObject({
      ops: zone.prefault({}).describe("Admin UI, monitoring, logging, metrics."),
      chain: zone.prefault({}).describe("Consensus and anchoring: lucid-blocks only."),
      wallet: zone.prefault({}).describe("Payments: tron-payment and payout-router only."),
      mesh: zone.prefault({}).describe("What the mesh itself needs."),
      edge: zone
        .prefault({})
        .describe("Ways in and out: the gateway between datacenters, and those to services outside the cluster."),
    })
    .describe("Who may be where."),
  traffic: documentTraffic.prefault({}).describe("What holds for the calls of the whole mesh."),
  authentication: authentication
    .optional()
    .describe("The service that answers for callers and their certificates (cluster 09), where services ask it."),
  datacenters: datacenters
    .optional()
    .describe("The datacenters that the mesh is in, by name, where there are several (docs/datacenters.md)."),
  services: z.array(service).describe("Every service of the mesh, with everything that it calls."),
});

/** A document without problems, all defaults that stand for themselves filled in. */
export type MeshDocument = z.output<typeof meshDocumentSchema>;
/** A service as declared. */
export type ServiceDeclaration = MeshDocument["services"][number];
/** A call as declared. */
export type CallDeclaration = ServiceDeclaration["calls"][number];
/** A version of a service as declared. */
export type VersionDeclaration = NonNullable<ServiceDeclaration["versions"]>[number];
/** A port as declared. */
export type PortDeclaration = NonNullable<ServiceDeclaration["ports"]>[number];
/** How a job is run, as declared. */
export type JobDeclaration = NonNullable<ServiceDeclaration["workload"]>;

/** The JSON Schema (draft 2020-12) of the document, for editors. */
export function meshJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(meshDocumentSchema, { io: "input" }),
    title: "Lucid mesh document",
    description: "Every service of the mesh and every call between them.",
  };
}
