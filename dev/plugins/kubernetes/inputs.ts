import { type Properties, reveal } from "../protocol/values";
import { toApiNames } from "./keys";
import type { KubeObject } from "./objects";

/** The program's inputs as the API has them: clear values, the API's names. */
export function toObject(inputs: Properties): KubeObject {
  return toApiNames(reveal(inputs));
}
