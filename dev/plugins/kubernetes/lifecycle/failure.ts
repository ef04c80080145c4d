import { InitializationFailure } from "../../protocol/provider";
import { type Properties } from "../../protocol/values";
import { NotReady } from "../await/ready";
import { idOf, type KubeObject } from "../objects";

/** An object that exists but is not as it should be, as the engine is told: it keeps the object, fails the run, and updates it next time. */
export function partial(error: unknown, what: string, live: KubeObject, outputs: Properties): InitializationFailure {
  const message = error instanceof Error ? error.message : String(error);
  const reasons = error instanceof NotReady ? error.reasons : [];
  return new InitializationFailure(idOf(live), outputs, [`${what}: ${message}`, ...reasons]);
}
