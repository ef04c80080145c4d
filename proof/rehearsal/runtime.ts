/** What Pulumi's runtime keeps for one run of a program: the parts used here. Its types leave them out, as its own Automation API is their user. */
import type { CallbackInvokeRequest, CallbackInvokeResponse } from "@pulumi/pulumi/proto/callback_pb";
import * as settings from "@pulumi/pulumi/runtime/settings";
import * as runtimeState from "@pulumi/pulumi/runtime/state";

/** One run. */
export interface Run {
  readonly settings: {
    options: Readonly<Record<string, unknown>>;
    monitor?: unknown;
    engine?: unknown;
  };
  config: Readonly<Record<string, string>>;
  /** The program's transforms, where it has any. */
  callbacks?: CallbackService;
}

/** Where an engine calls a program's transforms. */
export interface CallbackService {
  /** The service's one method, as gRPC calls it. */
  invoke(
    call: { readonly request: CallbackInvokeRequest },
    done: (error: { readonly details?: string } | null, response?: CallbackInvokeResponse) => void,
  ): Promise<void>;
  shutdown(): void;
}

const state = runtimeState as unknown as {
  readonly getStore: () => Run;
  readonly withLocalStorage: <T>(callback: () => Promise<T>) => Promise<T>;
};

/** What belongs to the run that the calling code is part of. */
export function currentRun(): Run {
  return state.getStore();
}

/** Calls back in a run of its own: whatever is begun in it, later continuations too, belongs to it. */
export function inOwnRun<T>(callback: () => Promise<T>): Promise<T> {
  return state.withLocalStorage(callback);
}

/** Waits until all that the run has asked of its engine is answered. */
export function answered(): Promise<void> {
  return (settings as unknown as { readonly waitForRPCs: () => Promise<void> }).waitForRPCs();
}
