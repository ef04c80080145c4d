import { InitializationFailure, type ReadRequest, type ReadResult } from "../../protocol/provider";
import { type Properties } from "../../protocol/values";
import { isNotFound, NoSuchKind } from "../api-error";
import { unreadiness } from "../await/ready";
import { markSecrets, readCheckpoint, writeCheckpoint } from "../checkpoint";
import type { Reachable } from "../connection";
import { toObject } from "../inputs";
import { apiVersion, isBuiltIn, kindOfObject, parseToken } from "../kinds";
import { fieldManagerFor } from "../managed-fields";
import { normalize } from "../normalize";
import { apiVersionOf, type KubeObject, namespaceOf, parseId, withoutAt } from "../objects";
import { prune, withDropped } from "../prune";
import type { Session } from "../session";

const REMOVE_IT =
  "failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove this resource from Pulumi " +
  'state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"';

/** Reads an object as it is, for a refresh or an import. `undefined`: it is no more. */
export async function read(session: Session, request: ReadRequest): Promise<ReadResult | undefined> {
  const { settings, connection } = session;
  const { context } = request;
  if (!connection.reachable) {
    context.log("warning", `configured Kubernetes cluster is unreachable: ${connection.reason}`);
    if (settings.deleteUnreachable) {
      context.log("info", "`deleteUnreachable` is enabled: the unreachable resource is taken out of the Pulumi state");
      return undefined;
    }
    if (settings.skipUpdateUnreachable) {
      return { id: request.id, outputs: request.outputs, inputs: request.inputs };
    }
    throw new Error(REMOVE_IT);
  }

  const stored = readCheckpoint(request.outputs);
  const isImport = Object.keys(request.inputs).length === 0 && Object.keys(stored.live).length === 0;
  const known = isImport
    ? skeleton(context.type, request.id)
    : normalize(identified(toObject(request.inputs), stored.live));
  const live = await fetch(connection, known, request.id);
  if (live === undefined) {
    return undefined;
  }
  const inputs = isImport ? importable(live) : refreshed(live, known, stored.live);
  const fieldManager = fieldManagerFor(known, stored.fieldManager, settings.serverSideApply);
  const initialApiVersion = stored.initialApiVersion || apiVersionOf(known);
  const outputs = writeCheckpoint({ inputs, live, initialApiVersion, fieldManager }, request.inputs);
  const markedInputs: Properties = markSecrets(inputs, request.inputs);
  const reasons = isImport ? [] : await unreadiness(connection, known, live);
  if (reasons.length > 0) {
    const first = `Resource '${parseId(request.id).name}' was created but failed to initialize`;
    throw new InitializationFailure(request.id, outputs, [first, ...reasons], markedInputs);
  }
  return { id: request.id, outputs, inputs: markedInputs };
}

/** The inputs as the live object has them. A custom resource's dropped fields are not in its schema, and remain a difference. */
function refreshed(live: KubeObject, inputs: KubeObject, applied: KubeObject): KubeObject {
  const found = prune(live, inputs);
  return isBuiltIn(kindOfObject(inputs)) ? withDropped(found, inputs, applied) : found;
}

async function fetch({ api, discovery }: Reachable, object: KubeObject, id: string): Promise<KubeObject | undefined> {
  const { namespace, name } = parseId(id);
  try {
    return await api.send({
      method: "GET",
      path: await discovery.path(object, name, namespaceOf(object) || namespace),
    });
  } catch (error) {
    // With its definition gone, a custom resource is gone too.
    if (isNotFound(error) || error instanceof NoSuchKind) {
      return undefined;
    }
    throw error;
  }
}

/** What is known of an object that is only now taken in: its type and its id. */
function skeleton(token: string, id: string): KubeObject {
  const gvk = parseToken(token);
  if (gvk === undefined) {
    throw new Error(`${token} names no kind of the Kubernetes API`);
  }
  const { namespace, name } = parseId(id);
  return {
    apiVersion: apiVersion(gvk),
    kind: gvk.kind,
    metadata: { name, ...(namespace === "" ? {} : { namespace }) },
  };
}

/** Inputs that don't say what they are (a state from elsewhere) are what the object was. */
function identified(inputs: KubeObject, live: KubeObject): KubeObject {
  return apiVersionOf(inputs) !== ""
    ? inputs
    : { ...inputs, apiVersion: live.apiVersion ?? null, kind: live.kind ?? null };
}

/** The inputs that would make an object that was made elsewhere. */
function importable(live: KubeObject): KubeObject {
  const fields = [
    ["status"],
    ["metadata", "annotations", "deployment.kubernetes.io/revision"],
    ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"],
    ["metadata", "creationTimestamp"],
    ["metadata", "generation"],
    ["metadata", "managedFields"],
    ["metadata", "resourceVersion"],
    ["metadata", "uid"],
  ];
  return fields.reduce((current, path) => withoutAt(current, path), live);
}
