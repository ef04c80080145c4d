/** What a mesh's stack would tell those who join it, without deploying it. */
import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import { load } from "js-yaml";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { JoinData } from "../../../components";
import { ServiceMesh, parseSettings, resolveMesh, validateDocument } from "../../../components";
import { checkoutDir } from "../../../dev/paths";
import type { WrittenDocument } from "../../integration/support/stacks/variation";
import { lettingJoin } from "../../integration/support/stacks/joining-document";
import { installMocks, settled } from "./mocks";

/** The document of the checkout with the example's service in it. */
export function joinedDocument(): WrittenDocument {
  const document = load(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8")) as WrittenDocument;
  lettingJoin(document);
  return document;
}

/** The stack's output `joins`. */
export async function joinsOf(document: WrittenDocument): Promise<Readonly<Record<string, JoinData>>> {
  await installMocks();
  const { joins } = new ServiceMesh("lucid", {
    mesh: resolveMesh(validateDocument(document), { tracing: true }),
    settings: parseSettings({
      apiServerCidr: "10.77.0.10/32",
      nodeResolverIp: "10.96.64.53",
      consulIp: "10.96.64.54",
    }),
    discoveryAddress: "127.0.0.1:18501",
    providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
  });
  await settled();
  const known = Object.entries(joins).map(async ([name, join]): Promise<[string, JoinData]> => [
    name,
    await new Promise((resolve) => join.apply(resolve)),
  ]);
  return Object.fromEntries(await Promise.all(known));
}
