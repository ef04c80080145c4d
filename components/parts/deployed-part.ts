import * as pulumi from "@pulumi/pulumi";
import { admissionGeneration } from "../admission/admission-control";
import { imageReference } from "../service-image";
import type { Declaration } from "../stack/declaration";
import { ownPart, type OwnPart } from "./own-part";
import { partProblems } from "./part-problems";
import { readParts } from "./read-parts";

/**
 * The part of the mesh that this stack deploys, with what the stacks of the others told. What the others lack is said: as warnings at preview, which needs no cluster and
 * none of them; and where an update would fail or break calls, it ends before it makes anything.
 *
 * @returns undefined where the stack deploys all of the mesh
 * @throws RunError with everything that has to be done first
 */
export async function deployedPart(declaration: Declaration): Promise<OwnPart | undefined> {
  const { mesh, settings, text } = declaration;
  const zone = settings.part;
  if (zone === "all") return undefined;
  const parts = await readParts(zone, settings);
  const basis = {
    admission: admissionGeneration({ mesh, settings }),
    startGate: imageReference({ service: "start-gate", registry: settings.imageRegistry }),
  };
  const { refusals, notices } = partProblems({ zone, mesh, settings, text, basis }, parts);
  if (refusals.length > 0 && !pulumi.runtime.isDryRun())
    throw new pulumi.RunError(
      [
        `part ${zone} can't be deployed as the others are; nothing was registered`,
        ...refusals.map((line) => `  ${line}`),
      ].join("\n"),
    );
  for (const refusal of refusals) void pulumi.log.warn(`\`pulumi up\` would refuse: ${refusal}`);
  for (const notice of notices) void pulumi.log.warn(notice);
  return ownPart(declaration, zone, parts);
}
