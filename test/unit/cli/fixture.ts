import { Enforced } from "../../../cli/enforced/world";
import { parseSettings } from "../../../components/stack/settings";
import { resolveMesh, validateDocument, type Mesh } from "../../../mesh";
import { happy, put } from "../mesh/fixture";

/** Settings of a stack that deploys nowhere. */
export const SETTINGS = parseSettings({
  apiServerCidr: "10.0.0.1/32",
  nodeResolverIp: "10.96.64.53",
  consulIp: "10.96.64.54",
});

/** What a mesh renders. */
export function enforced(mesh: Mesh): Enforced {
  return new Enforced(mesh, SETTINGS);
}

/** The happy document with an HTTP call that has rules and a gRPC call that ends, resolved. */
export function exampleMesh(): Mesh {
  const document = happy();
  put(document, "services.0.calls", [
    { service: "lucid-blocks", reason: "Operators watch", methods: ["GET"], paths: ["/height", "/blocks/*"] },
    {
      service: "lucid-blocks",
      ports: ["grpc"],
      reason: "For the audit",
      grpc: ["a.B/C", "grpc.health.v1.Health/*"],
      until: "2026-12-31",
    },
    { service: "lucid-blocks", ports: ["peers"], reason: "Peers" },
  ]);
  return resolveMesh(validateDocument(document), { tracing: true });
}

/** Places as the document's paths, without lines. */
export const placeOf = (source: string, ...steps: readonly string[]): string => [source, ...steps].join(".");
