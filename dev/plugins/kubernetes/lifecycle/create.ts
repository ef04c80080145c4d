import { setTimeout as sleep } from "node:timers/promises";

import type { CreateRequest, CreateResult, OperationContext } from "../../protocol/provider";
import { containsUnknowns, type Properties } from "../../protocol/values";
import {
  isAlreadyExists,
  isDryRunUnsupported,
  isForbidden,
  isImmutableField,
  isNamespaceMissing,
  isNotFound,
  NoSuchKind,
} from "../api-error";
import { awaitReady, NotReady } from "../await/ready";
import { writeCheckpoint } from "../checkpoint";
import type { Reachable } from "../connection";
import { toObject } from "../inputs";
import { kindOfObject } from "../kinds";
import { CREATE_MANAGER, fieldManagerFor, mayForce } from "../managed-fields";
import { apiVersionOf, idOf, kindOf, type KubeObject, nameOf, withAt, withoutAt } from "../objects";
import type { Session } from "../session";
import { explainConflict } from "./conflict";
import { partial } from "./failure";

/** Seconds before a create is tried again because its namespace or its kind isn't there yet; they double, five times. */
const FIRST_RETRY = 1;
const RETRIES = 5;

/** Creates an object and waits until it is ready; at a preview, asks the server what it would make of it. */
export async function create(session: Session, { inputs, context }: CreateRequest): Promise<CreateResult> {
  const object = toObject(inputs);
  if (context.preview && !(await canPreview(session, object))) {
    return { id: "", outputs: inputs };
  }
  const cluster = session.cluster();
  const fieldManager = fieldManagerFor(object, "", session.settings.serverSideApply);
  const checkpointOf = (live: KubeObject): Properties =>
    writeCheckpoint({ inputs: object, live, initialApiVersion: apiVersionOf(object), fieldManager }, inputs);

  let created: KubeObject;
  try {
    created = await submit(session, cluster, object, fieldManager, context);
  } catch (error) {
    if (context.preview && isNoAnswerForPreview(error)) {
      return { id: "", outputs: inputs };
    }
    throw new Error(createFailure(context.urn, object, error), { cause: error });
  }
  if (context.preview) {
    // An empty status would pass for the real one.
    return { id: "", outputs: checkpointOf(withoutAt(created, ["status"])) };
  }

  const path = await cluster.discovery.path(created, nameOf(created));
  try {
    const live = await awaitReady(cluster, { inputs: object, object: created, path, isUpdate: false, context });
    return { id: idOf(live), outputs: checkpointOf(live) };
  } catch (error) {
    const live = error instanceof NotReady ? error.object : created;
    const what =
      `resource "${context.urn}" was successfully created, but the Kubernetes API server ` +
      "reported that it failed to fully initialize or become live";
    throw partial(error, what, live, checkpointOf(live));
  }
}

/** Whether the server can say what it would make of the object: everything is known, and so is its kind. */
export async function canPreview(session: Session, object: KubeObject): Promise<boolean> {
  if (containsUnknowns(object) || !session.connection.reachable || !session.settings.serverSideApply) {
    return false;
  }
  return (await session.connection.discovery.find(kindOfObject(object)).catch(() => undefined)) !== undefined;
}

async function submit(
  session: Session,
  cluster: Reachable,
  object: KubeObject,
  fieldManager: string,
  context: OperationContext,
): Promise<KubeObject> {
  const send = session.settings.serverSideApply && session.settings.upsert ? apply : post;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await send(session, cluster, object, fieldManager, context);
    } catch (error) {
      const mayCome = isNotFound(error) || error instanceof NoSuchKind;
      const isHopeless = context.preview && isNamespaceMissing(error);
      if (!mayCome || isHopeless || attempt >= RETRIES || context.signal.aborted) {
        throw error;
      }
      await sleep(FIRST_RETRY * 1000 * 2 ** attempt, undefined, { signal: context.signal });
    }
  }
}

async function post(
  _session: Session,
  { api, discovery }: Reachable,
  object: KubeObject,
  _fieldManager: string,
  context: OperationContext,
): Promise<KubeObject> {
  return await api.send({
    method: "POST",
    path: await discovery.path(object, ""),
    query: { fieldManager: CREATE_MANAGER, fieldValidation: "Strict", dryRun: context.preview ? "All" : undefined },
    body: object,
  });
}

/** Takes over an object of the same name, where there is one. */
async function apply(
  session: Session,
  { api, discovery }: Reachable,
  object: KubeObject,
  fieldManager: string,
  context: OperationContext,
): Promise<KubeObject> {
  const send = async (named: KubeObject): Promise<KubeObject> =>
    await api.send({
      method: "PATCH",
      path: await discovery.path(named, nameOf(named)),
      query: {
        fieldManager,
        force: String(mayForce(object, undefined, session.settings.patchForce, context.preview)),
        fieldValidation: "Strict",
        dryRun: context.preview ? "All" : undefined,
      },
      contentType: "application/apply-patch+yaml",
      body: named,
    });
  try {
    return await send(object);
  } catch (error) {
    if (context.preview && isImmutableField(error)) {
      // The object is about to be replaced: only one of another name can be tried.
      return await send(withAt(object, ["metadata", "name"], `${nameOf(object)}-preview`));
    }
    throw explainConflict(error, fieldManager);
  }
}

/** Refusals that say nothing of the real run: what is missing or in the way at the preview may not be then. */
function isNoAnswerForPreview(error: unknown): boolean {
  return isForbidden(error) || isNamespaceMissing(error) || isDryRunUnsupported(error) || isAlreadyExists(error);
}

function createFailure(urn: string, object: KubeObject, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof NoSuchKind) {
    return (
      `creation of resource "${urn}" with kind ${apiVersionOf(object)}/${kindOf(object)} failed because the Kubernetes ` +
      `API server reported that the apiVersion for this resource does not exist. ` +
      `Verify that any required CRDs have been created: ${message}`
    );
  }
  const advice = isAlreadyExists(error)
    ? " (the object is there already: import it with `pulumi import`, rename one of the two, or set upsertExistingObjects on the " +
      "provider to take it over; after a rename of the resource, an alias keeps its identity)"
    : "";
  return `resource "${urn}" was not successfully created by the Kubernetes API server: ${message}${advice}`;
}
