import * as pulumi from "@pulumi/pulumi";
import * as runtimeState from "@pulumi/pulumi/runtime/state";
import type { Mesh } from "../mesh";
import { partViolations } from "./part";
import type { ProvenPart } from "./part";
import { planViolations } from "./prove";
import type { Surroundings } from "./prove";
import { rehearse } from "./rehearsal/rehearse";
import { timelineViolations } from "./timeline";

/** Most violations that one message holds: the rest follow from the same mistake more often than not. */
const SHOWN = 50;

/** What a program is held against. */
export interface Expectation {
  readonly mesh: Mesh;
  readonly settings: Surroundings & {
    /** Longest time between two runs of `pulumi up`: certificates are made anew by nothing else. */
    readonly updateIntervalHours: number;
  };
}

/** What else is held against a program that declares a part of the mesh. */
export interface PartExpectation extends ProvenPart {
  /** Declares the whole mesh, as one stack would that deploys all of it. It is rehearsed alone: nothing of it is made. */
  readonly whole: () => unknown;
}

/**
 * Runs a Pulumi program once it is proven: it is rehearsed, its resources are read, and who reaches whom by them is computed and compared with the document.
 * So are its certificates in time. A program that opens more, or less, or lets trust end, registers nothing, under `pulumi up --yes --skip-preview` too.
 *
 * ```ts
 * import { proven } from "@lucid/mesh/proof";
 *
 * export = () => proven(readDeclaration(…), () => { new ServiceMesh(…); });
 * ```
 *
 * @param program declares all that the stack has, transforms included. It runs twice, so it makes nothing but resources; what it needs to ask or read it is
 * handed in
 * @param part where the stack deploys a part: then the whole mesh is proven, and the program held to be that part of it
 * @returns what the program returns: the stack's outputs
 * @throws RunError that names every violation with its counterexample; and what the program throws
 */
export async function proven<T>(
  { mesh, settings }: Expectation,
  program: () => T | Promise<T>,
  part?: PartExpectation,
): Promise<T> {
  refuseEarlierTransforms();
  const own = await rehearse(program);
  const whole = part === undefined ? own : await rehearse(part.whole);
  const violations = [
    ...planViolations(mesh, settings, whole),
    ...timelineViolations(mesh, settings, whole),
    ...(part === undefined ? [] : partViolations(part, whole, own)),
  ];
  if (violations.length > 0) throw new pulumi.RunError(refusal(violations));
  return program();
}

function refusal(violations: readonly string[]): string {
  const count = violations.length === 1 ? "1 violation" : `${violations.length} violations`;
  const rest = violations.length > SHOWN ? [`  … and ${violations.length - SHOWN} more`] : [];
  return [
    `what is planned does not let exactly those reach each other that the document declares: ${count}; nothing was registered`,
    ...violations.slice(0, SHOWN).map((violation) => `  ${violation}`),
    ...rest,
  ].join("\n");
}

/** A transform of the whole stack that stands outside of the program would change what was proven. */
function refuseEarlierTransforms(): void {
  const { callbacks, stackResource } = (runtimeState as unknown as { getStore(): Run }).getStore();
  if (callbacks !== undefined || (stackResource?.__transformations ?? []).length > 0)
    throw new pulumi.RunError(
      "a transform is registered before the program is proven, so that it would change what was proven; register it inside of what `proven` is given",
    );
}

/** What of Pulumi's runtime tells that transforms are there. */
interface Run {
  readonly callbacks?: unknown;
  readonly stackResource?: { readonly __transformations?: readonly unknown[] };
}
