/** Kubernetes' Events of drift: `kubectl describe` and `kubectl events` show them. */
import { randomBytes } from "node:crypto";
import { apiVersionOf, kindNamed } from "../../../../mesh/declarations/index.js";
import { MESH_SERVICE } from "../../../../mesh/custom-resource/index.js";
import { ZONES } from "../../../../mesh/model.js";
import { namespaceOf } from "../../../../mesh/names.js";
import { WELL_KNOWN } from "../../../../mesh/wire.js";
import type { Finding } from "./finding.js";
import type { LiveObject } from "./live.js";
import { POD } from "./kinds.js";

export type Reason = "Drifted" | "EnforcementLost" | "DriftRepaired" | "DriftNotRepaired";

/** The longest note that Kubernetes takes. */
const LONGEST = 1024;
/** Where the controller may create Events. */
const NAMESPACES: readonly string[] = ZONES.map(namespaceOf);
const REPORTER = "mesh.lucid.internal/mesh-controller";

/** The object that an Event is about. */
export interface Regarded extends Pick<Finding, "kind" | "namespace" | "name"> {
  readonly live: Pick<LiveObject, "uid"> | undefined;
}

/** An Event, and where it is created. */
export interface NewEvent {
  readonly path: string;
  readonly body: unknown;
}

/** An Event about the object of a finding; about the controller's MeshService where the object is in no zone's namespace. */
export function eventOf(finding: Regarded, reason: Reason, note: string, instance: string, now: string): NewEvent {
  const regarding = regardingOf(finding);
  const { namespace } = regarding;
  return {
    path: `/api/v1/namespaces/${namespace}/events`,
    body: {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${regarding.name}.${randomBytes(8).toString("hex")}`, namespace },
      involvedObject: regarding,
      reason,
      message: note.length > LONGEST ? `${note.slice(0, LONGEST - 1)}…` : note,
      type: reason === "DriftRepaired" ? "Normal" : "Warning",
      source: { component: WELL_KNOWN.controller },
      reportingComponent: REPORTER,
      reportingInstance: instance.slice(0, 128),
      action: reason,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    },
  };
}

function regardingOf({ kind, namespace, name, live }: Regarded) {
  const own = kind === POD.kind ? POD : kindNamed(kind);
  if (namespace === undefined || own === undefined || !NAMESPACES.includes(namespace)) {
    const { apiVersion, kind: meshService } = MESH_SERVICE;
    return { apiVersion, kind: meshService, namespace: namespaceOf("mesh"), name: WELL_KNOWN.controller };
  }
  return { apiVersion: apiVersionOf(own), kind, namespace, name, ...(live === undefined ? {} : { uid: live.uid }) };
}
