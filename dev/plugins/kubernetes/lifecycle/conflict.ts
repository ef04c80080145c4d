import { isConflict } from "../api-error";

const GUIDE =
  "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/" +
  "#handle-field-conflicts-on-existing-resources";

/** A conflict over fields with what it is about and where to read on; any other error as it is. */
export function explainConflict(error: unknown, fieldManager: string): unknown {
  if (!isConflict(error)) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  return new Error(
    `server-side apply field conflict detected: the resource managed by field manager "${fieldManager}" had an apply conflict: ` +
      `${message}. To take the fields over, set the annotation pulumi.com/patchForce: "true" on the object, or enablePatchForce on ` +
      `the provider; see ${GUIDE}`,
    { cause: error },
  );
}
