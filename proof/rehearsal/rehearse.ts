import * as pulumi from "@pulumi/pulumi";
import { Recorder } from "./recorder";
import type { RehearsedResource } from "./resource";
import { answered, currentRun, inOwnRun } from "./runtime";

/** Stands for the addresses of the engine and its monitor: they are not dialled. */
const NOWHERE = "rehearsal";

export interface RehearsalNames {
  readonly project: string;
  readonly stack: string;
}

/**
 * Runs a Pulumi program as a preview would, in this process and without an engine: nothing is made, and all that it would register is given back, transforms
 * applied. The run in which this is called is not touched.
 *
 * @param program declares resources, in whatever it calls or awaits
 * @param names of project and stack; default: those of the run in which this is called
 * @throws what the program throws
 */
export async function rehearse(
  program: () => unknown,
  names: RehearsalNames = { project: pulumi.getProject(), stack: pulumi.getStack() },
): Promise<readonly RehearsedResource[]> {
  const { stackTraceLimit } = Error;
  try {
    // Pulumi's SDK takes a stack trace of each promise that it makes: half of all that a rehearsal does.
    Error.stackTraceLimit = 0;
    return await rehearseOnce(program, names);
  } catch (error) {
    if (pulumi.RunError.isInstance(error)) throw untold(error);
    // A defect of the program: whoever mends it wants to see where it is.
    Error.stackTraceLimit = stackTraceLimit;
    return await rehearseOnce(program, names).catch((again: unknown) => {
      throw untold(again);
    });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Takes Pulumi's own frames out of an error's stack: they tell nobody anything, and over such as `@pulumi/resource.ts` Node 20.20 spends a minute to print it in colours. */
function withoutRuntime(error: unknown): unknown {
  if (error instanceof Error && error.stack !== undefined)
    error.stack = error.stack
      .split("\n")
      .filter((line) => !/[\\/]node_modules[\\/]@pulumi[\\/]/.test(line))
      .join("\n");
  return error;
}

/** The same error as another object: of the one that was thrown the runtime has told the rehearsal's engine, and it tells of none twice. */
function untold(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { stack } = error;
  const copy = Object.create(Object.getPrototypeOf(error) as object, Object.getOwnPropertyDescriptors(error)) as Error;
  return Object.defineProperty(copy, "stack", { value: stack, writable: true, configurable: true });
}

async function rehearseOnce(program: () => unknown, names: RehearsalNames): Promise<readonly RehearsedResource[]> {
  const outer = currentRun();
  const { stackResource } = globalThis;
  const recorder = new Recorder(names.project, names.stack);
  try {
    return await inOwnRun(async () => {
      const run = currentRun();
      run.settings.options = {
        ...outer.settings.options,
        ...names,
        dryRun: true,
        monitorAddr: NOWHERE,
        engineAddr: NOWHERE,
      };
      run.settings.monitor = recorder;
      run.settings.engine = quiet;
      run.config = { ...outer.config };
      const registered = (async () => {
        await pulumi.runtime.runInPulumiStack(async () => {
          try {
            await program();
          } catch (error) {
            throw withoutRuntime(error);
          }
          return {};
        });
        await answered();
      })();
      try {
        await Promise.race([registered, recorder.failed.catch(refuse)]);
      } finally {
        run.callbacks?.shutdown();
      }
      return recorder.resources;
    });
  } finally {
    // The runtime keeps the newest stack here as well.
    globalThis.stackResource = stackResource;
  }
}

function refuse(failure: unknown): never {
  throw new pulumi.RunError(failure instanceof Error ? failure.message : String(failure));
}

/** Stands where the engine's log stands. What a program says while it is rehearsed, it says again when it runs. */
const quiet = {
  log: (_: unknown, done: (error: null) => void) => done(null),
  setRootResource: (_: unknown, done: (error: null) => void) => done(null),
  requirePulumiVersion: (_: unknown, done: (error: null) => void) => done(null),
};
