import { isAclKind, type DriftClass } from "../../../../mesh/declarations/index.js";
import type { ZoneName } from "../../../../mesh/model.js";
import type { Difference } from "./compare.js";
import type { LiveObject, Writer } from "./live.js";

/** One object that is not as it was declared. */
export interface Finding {
  readonly key: string;
  readonly zone: ZoneName;
  readonly class: DriftClass;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** The service that it is of; undefined where it is of the whole zone. */
  readonly service: string | undefined;
  /** What became of the object; `running`: it is as declared, and what runs in it is not; `unread`: by it nobody can see any more what he should. */
  readonly what: "changed" | "removed" | "added" | "running" | "unread";
  /** Why, for people: what of it differs, or what is wrong with its being there. */
  readonly detail: string;
  readonly writer: Writer | undefined;
  /** The object as it is; undefined where it is gone. */
  readonly live: LiveObject | undefined;
}

/** Places that a message names. */
const NAMED = 4;

/** In one line: what, where and by whom. */
export function describeFinding({ kind, namespace, name, what, detail, writer }: Finding): string {
  const title = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
  if (what === "unread") return `${title} shows nobody any more who may do what at the discovery backend (${detail})`;
  if (what === "running") return `the sidecar of ${title} ${detail}`;
  const by =
    what === "removed" || isAclKind(kind)
      ? `${isAclKind(kind) ? "the discovery backend" : "Kubernetes"} does not note by whom`
      : writer === undefined
        ? "last written by nobody that Kubernetes names"
        : `last written by ${writer.manager}${writer.time === "" ? "" : ` at ${writer.time}`}`;
  return `${title} was ${what}${detail === "" ? "" : ` (${detail})`}, ${by}`;
}

export function describePlaces(found: readonly Difference[]): string {
  const more = found.length - NAMED;
  const places = found.slice(0, NAMED).map(({ path, kind }) => (kind === "changed" ? path : `${path} ${kind}`));
  return places.join(", ") + (more > 0 ? ` and ${String(more)} more` : "");
}

/** What is told once: another change of the same object is told again. */
export function signatureOf({ what, detail, live, writer }: Finding): string {
  return JSON.stringify([what, detail, live?.uid ?? "", writer?.time ?? ""]);
}
