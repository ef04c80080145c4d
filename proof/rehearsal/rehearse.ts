import * as pulumi from "@pulumi/pulumi";
import * as settings from "@pulumi/pulumi/runtime/settings";
import * as runtimeState from "@pulumi/pulumi/runtime/state";
import { Recorder } from "./recorder";
import type { RehearsedResource } from "./resource";

/** What Pulumi's runtime keeps for one run of a program: the parts used here. Its types leave them out, as its own Automation API is their user. */
interface Run {
  readonly settings: {
    options: Readonly<Record<string, unknown>>;
    monitor?: unknown;
    engine?: unknown;
  };
  config: Readonly<Record<string, string>>;
  callbacks?: { shutdown(): void };
}

const { getStore, withLocalStorage } = runtimeState as unknown as {
  /** What belongs to the run that the calling code is part of. */
  readonly getStore: () => Run;
  /** Calls back in a run of its own: whatever is begun in it, later continuations too, belongs to it. */
  readonly withLocalStorage: <T>(callback: () => Promise<T>) => Promise<T>;
};
const { waitForRPCs } = settings as unknown as { readonly waitForRPCs: () => Promise<void> };

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
  const outer = getStore();
  const { stackResource } = globalThis;
  const recorder = new Recorder(names.project, names.stack);
  try {
    return await withLocalStorage(async () => {
      const run = getStore();
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
      try {
        await pulumi.runtime.runInPulumiStack(async () => {
          await program();
          return {};
        });
        await waitForRPCs();
      } finally {
        run.callbacks?.shutdown();
      }
      const [failure] = recorder.failures;
      if (failure !== undefined) throw new pulumi.RunError(failure.message);
      return recorder.resources;
    });
  } finally {
    recorder.close();
    // The runtime keeps the newest stack here as well.
    globalThis.stackResource = stackResource;
  }
}

/** Stands where the engine's log stands. What a program says while it is rehearsed, it says again when it runs. */
const quiet = {
  log: (_: unknown, done: (error: null) => void) => done(null),
  setRootResource: (_: unknown, done: (error: null) => void) => done(null),
  requirePulumiVersion: (_: unknown, done: (error: null) => void) => done(null),
};
