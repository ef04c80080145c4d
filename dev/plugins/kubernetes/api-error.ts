import type { GroupVersionKind } from "./kinds";
import { apiVersion } from "./kinds";
import { type KubeObject, objectsAt, textAt } from "./objects";

/** What the API server answered when it refused a request. */
export class ApiError extends Error {
  /** The machine-readable reason, such as `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`. */
  readonly reason: string;
  readonly details: KubeObject;

  constructor(
    readonly statusCode: number,
    status: KubeObject,
    request: string,
  ) {
    super(textAt(status, "message") || `the API server answered ${request} with status ${String(statusCode)}`);
    this.name = "ApiError";
    this.reason = textAt(status, "reason");
    this.details = typeof status.details === "object" ? (status.details as KubeObject) : {};
  }
}

/** The API server has no such kind: usually a custom resource whose definition isn't there (yet). */
export class NoSuchKind extends Error {
  constructor(gvk: GroupVersionKind) {
    super(`no matches for kind "${gvk.kind}" in version "${apiVersion(gvk)}"`);
    this.name = "NoSuchKind";
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && (error.reason === "NotFound" || error.statusCode === 404);
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === "AlreadyExists";
}

export function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.statusCode === 403;
}

/** A conflict over fields, or over the object's version. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.statusCode === 409 && error.reason !== "AlreadyExists";
}

/** Whether what isn't found is the namespace, not the object. */
export function isNamespaceMissing(error: unknown): boolean {
  return isNotFound(error) && error instanceof ApiError && textAt(error.details, "kind") === "namespaces";
}

/** Whether a webhook or an old server can't try a request without doing it. */
export function isDryRunUnsupported(error: unknown): boolean {
  return error instanceof ApiError && error.statusCode === 400 && error.message.includes("does not support dry run");
}

/** Whether the object exists with values that can't be changed. */
export function isImmutableField(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    error.reason === "Invalid" &&
    (error.message.includes("field is immutable") ||
      objectsAt(error.details, "causes").some((cause) => textAt(cause, "message").includes("field is immutable")))
  );
}
