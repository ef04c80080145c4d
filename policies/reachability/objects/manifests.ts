import { CORE_SCHEMA, YAMLException, loadAll } from "js-yaml";
import { plainCopy } from "../../judgement/plain";
import type { Plain } from "../../judgement/plain";

/** Text that holds no manifests. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
}

/**
 * The objects of a text of manifests: YAML of one document or several, or JSON, as `kubectl get -o json` prints it. Empty documents are left out.
 *
 * @throws ManifestError for what is neither; the message holds nothing of the text
 */
export function readManifests(text: string): readonly Plain[] {
  try {
    return loadAll(text, { schema: CORE_SCHEMA })
      .map(plainCopy)
      .filter((object) => object !== null);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new ManifestError(
      `it is neither YAML nor JSON (${error.reason}); give manifests, or what \`kubectl get -o json\` prints`,
    );
  }
}
