import { containsSecrets, isProperties, type Properties, reveal, Secret, type Value } from "../protocol/values";
import { toApiNames, toSdkNames } from "./keys";
import { apiVersionOf, type KubeObject, objectAt, textAt } from "./objects";

/** Members of the stored outputs that are no part of the object; the official provider has the same, so either reads the other's state. */
const INPUTS = "__inputs";
const INITIAL_API_VERSION = "__initialApiVersion";
const FIELD_MANAGER = "__fieldManager";

/** What the stored outputs of an object hold. */
export interface Checkpoint {
  /** The inputs that made the object, in the API's names. */
  readonly inputs: KubeObject;
  /** The object as it was last seen, in the API's names. */
  readonly live: KubeObject;
  /** The API version it was created with; "" in a state that doesn't say. */
  readonly initialApiVersion: string;
  /** The name under which its fields are managed; "" in a state that doesn't say. */
  readonly fieldManager: string;
}

/** Reads stored outputs. */
export function readCheckpoint(outputs: Properties): Checkpoint {
  const stored = toApiNames(reveal(outputs));
  const own = [INPUTS, INITIAL_API_VERSION, FIELD_MANAGER];
  return {
    inputs: objectAt(stored, INPUTS),
    live: Object.fromEntries(Object.entries(stored).filter(([key]) => !own.includes(key))),
    initialApiVersion: textAt(stored, INITIAL_API_VERSION),
    fieldManager: textAt(stored, FIELD_MANAGER),
  };
}

/**
 * The outputs to store. What was secret in the program's inputs is secret in them, and so are a Secret's data.
 *
 * @param programInputs the inputs with their secrets still marked
 */
export function writeCheckpoint(checkpoint: Checkpoint, programInputs: Properties): Properties {
  const inputs = markSecrets(toSdkNames(checkpoint.inputs), programInputs);
  const live = markSecrets(toSdkNames(checkpoint.live), programInputs);
  return {
    ...live,
    [INPUTS]: inputs,
    [INITIAL_API_VERSION]: checkpoint.initialApiVersion || apiVersionOf(checkpoint.live),
    [FIELD_MANAGER]: checkpoint.fieldManager,
  };
}

/**
 * Puts the secrets of `inputs` back into `outputs`: object by object, so that one secret does not hide its whole surroundings; a list
 * with a secret in it becomes secret as a whole, since the server may reorder it.
 */
export function markSecrets(outputs: Properties, inputs: Properties): Properties {
  if (outputs.kind === "Secret") {
    return Object.fromEntries(
      Object.entries(outputs).map(([key, value]) => [
        key,
        key === "data" || key === "stringData" ? new Secret(reveal(value)) : value,
      ]),
    );
  }
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, markValue(value, inputs[key])]));
}

function markValue(output: Value, input: Value | undefined): Value {
  if (isProperties(output) && isProperties(input)) {
    return markSecrets(output, input);
  }
  return containsSecrets(input) ? new Secret(reveal(output)) : output;
}
