import * as pulumi from "@pulumi/pulumi";
import { didYouMean, listed } from "../../mesh/document/suggest";
import type { JoinData } from "./join-data";
import { parseJoinData } from "./join-data";

/** The output of the mesh's stack in which every service that may join stands, by its name. */
const OUTPUT = "joins";

/** The mesh stack's output `joins`. What stands in it is read strictly, so that any parsed JSON may be given. */
export type Joins = Readonly<Record<string, unknown>>;

/**
 * What a mesh says of a service that this stack brings. It is awaited, before anything is declared by it: which objects a program makes is to be known
 * when it is previewed.
 *
 * ```ts
 * export = async () => {
 *   const join = await readJoin("organization/lucid-mesh/dev", "billing");
 *   new JoinedService("billing", { join, template, version: "1.4.2" });
 * };
 * ```
 *
 * @param mesh name of the mesh's own stack, in the backend of this one; or, where this stack can't read that one, its output `joins`
 * (`pulumi stack output joins --json`, parsed)
 * @param service its name in the mesh's document
 * @throws RunError where the mesh does not let it join, or what is said of it can't be used
 */
export async function readJoin(mesh: string | Joins, service: string): Promise<JoinData> {
  const [joins, source] =
    typeof mesh === "string" ? [await outputOf(mesh), `stack ${mesh}`] : [mesh as unknown, "the given joins"];
  if (typeof joins !== "object" || joins === null || Array.isArray(joins)) {
    const mend = "deploy the mesh by `pulumi up` first, with a release of the package that lets stacks join";
    throw new pulumi.RunError(`${source} has no map '${OUTPUT}'; ${mend}`);
  }
  if (!Object.hasOwn(joins, service)) {
    const names = Object.keys(joins);
    const known = names.length === 0 ? "it lets nobody join" : `it lets ${listed(names)} join`;
    const declare = "declare it in the mesh's document with 'joinedBy', and deploy the mesh";
    const mend = didYouMean(service, names, declare);
    throw new pulumi.RunError(`${source} does not let '${service}' join (${known}); ${mend}`);
  }
  return parseJoinData((joins as Readonly<Record<string, unknown>>)[service], service, source);
}

async function outputOf(stack: string): Promise<unknown> {
  return (await new pulumi.StackReference(stack).getOutputDetails(OUTPUT)).value;
}
