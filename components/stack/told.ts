/** What another stack told by its last outputs, or handed over as a file. */
import * as pulumi from "@pulumi/pulumi";
import { existsSync, readFileSync } from "node:fs";

/** What is read, in the words of messages. */
export interface Telling<T> {
  /** Name of the output. */
  readonly output: string;
  /** Whom the stack deploys: `part ops`. */
  readonly whom: string;
  /** What makes a stack deploy that: `lucid-mesh:part to ops`. */
  readonly setting: string;
  /** The key by which stacks are named: `lucid-mesh:partStacks`. */
  readonly key: string;
  /** @throws RunError where it can't be used */
  readonly parse: (value: unknown, place: string) => T;
}

/** A stack's outputs as it was last deployed; undefined where there is no such stack. @throws Error where it can't be read */
export type AskOutputs = (stack: string) => Promise<Readonly<Record<string, unknown>> | undefined>;

/**
 * Reads what a stack told: nothing is registered for it, and nothing else of its state is read. Secrets among its outputs, if there were any, would need their keys.
 *
 * @param stack its name, or the path of a `.json` file with that output
 * @returns where it was looked for, for messages, and what it tells; undefined where it is not deployed
 * @throws RunError where it can't be read or used
 */
export async function toldBy<T>(
  stack: string,
  { output, whom, setting, key, parse }: Telling<T>,
  ask: AskOutputs,
): Promise<readonly [place: string, data: T | undefined]> {
  if (stack.endsWith(".json")) {
    const place = `the file ${stack}`;
    return [place, existsSync(stack) ? parse(readJson(stack, output, whom), place) : undefined];
  }
  const place = `stack ${stack}`;
  const outputs = await ask(stack).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new pulumi.RunError(
      `${place}, which deploys ${whom}, can't be read: ${reason}; see that this run may read it, or hand its output over as a file (${key})`,
    );
  });
  // A stack that was made and not deployed, or destroyed, has no outputs at all.
  if (outputs === undefined || Object.keys(outputs).length === 0) return [place, undefined];
  if (!Object.hasOwn(outputs, output))
    throw new pulumi.RunError(
      `${place} has no output '${output}', so it does not deploy ${whom}; set ${setting} there, or name the right stack by ${key}`,
    );
  if (pulumi.isUnknown(outputs[output]))
    throw new pulumi.RunError(
      `${place} was updated with --target last, so that what ${whom} tells is not known; run \`pulumi up\` of it without that`,
    );
  return [place, parse(outputs[output], place)];
}

/**
 * By the engine's own function, which reads the outputs of a stack and nothing else. A `StackReference` would be a resource, registered before anything is proven,
 * and a stack that isn't there would end the run.
 */
export async function outputsOf(stack: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const answer = (await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name: stack })) as {
      readonly outputs?: Readonly<Record<string, unknown>>;
    };
    return answer.outputs ?? {};
  } catch (error) {
    if (error instanceof Error && error.message.includes("unknown stack")) return undefined;
    throw error;
  }
}

/** @throws RunError */
function readJson(file: string, output: string, whom: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new pulumi.RunError(
      `${file} can't be read: ${reason}; write it by \`pulumi stack output ${output} --json\` of the stack of ${whom}`,
    );
  }
}
