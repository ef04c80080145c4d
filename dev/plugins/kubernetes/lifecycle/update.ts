import type { OperationContext, UpdateRequest } from "../../protocol/provider";
import type { Properties } from "../../protocol/values";
import { isForbidden } from "../api-error";
import { awaitReady } from "../await/ready";
import { readCheckpoint, writeCheckpoint } from "../checkpoint";
import type { Reachable } from "../connection";
import { toObject } from "../inputs";
import { isCustomResourceDefinition } from "../kinds";
import { fieldManagerFor, mayForce, takeOver, withIgnoredFields } from "../managed-fields";
import { normalize } from "../normalize";
import { apiVersionOf, at, type KubeObject, nameOf, namespaceOf, textAt, withAt, withoutAt } from "../objects";
import { prune } from "../prune";
import type { Session } from "../session";
import { explainConflict } from "./conflict";
import { canPreview } from "./create";
import { partial } from "./failure";
import { mergePatch } from "./merge-patch";

/** What the ways of changing an object have in common. */
interface Change {
  readonly session: Session;
  readonly cluster: Reachable;
  readonly path: string;
  readonly live: KubeObject;
  readonly inputs: KubeObject;
  /** The object as the state has it, in the shape of its old inputs. */
  readonly before: KubeObject;
  readonly fieldManager: string;
  readonly ignoreChanges: readonly string[];
  readonly context: OperationContext;
}

/** Changes an object in place and waits until it is ready; at a preview, asks the server what it would make of it. */
export async function update(session: Session, request: UpdateRequest): Promise<Properties> {
  const { news, olds, context } = request;
  const inputs = normalize(toObject(news));
  if (context.preview && !(await canPreview(session, inputs))) {
    return news;
  }
  const cluster = session.cluster();
  const stored = readCheckpoint(olds);
  const { serverSideApply } = session.settings;
  const fieldManager = fieldManagerFor(inputs, stored.fieldManager, serverSideApply);
  const path = await cluster.discovery.path(
    inputs,
    nameOf(stored.live),
    namespaceOf(stored.live) || namespaceOf(inputs),
  );
  const initialApiVersion = stored.initialApiVersion || apiVersionOf(stored.inputs);
  const checkpointOf = (live: KubeObject): Properties =>
    writeCheckpoint({ inputs, live, initialApiVersion, fieldManager }, news);

  try {
    const live = await cluster.api.send({ method: "GET", path });
    const before = prune(stored.live, normalize(stored.inputs));
    const { ignoreChanges } = request;
    const changed = await submit({
      session,
      cluster,
      path,
      live,
      inputs,
      before,
      fieldManager,
      ignoreChanges,
      context,
    });
    if (context.preview) {
      return checkpointOf(changed);
    }
    const ready = await awaitReady(cluster, { inputs, object: changed, path, isUpdate: true, context });
    if (serverSideApply && stored.fieldManager !== "" && stored.fieldManager !== fieldManager) {
      await relinquish(cluster, path, ready, stored.fieldManager);
    }
    return checkpointOf(ready);
  } catch (error) {
    if (context.preview) {
      if (isForbidden(error)) {
        return news;
      }
      throw error;
    }
    // The object is there, whatever became of the change: the state keeps it, with what was asked for, and the next run tries again.
    const live = await cluster.api.send({ method: "GET", path }).catch((readError: unknown) => {
      throw new AggregateError([error, readError], `update of resource "${context.urn}" failed: ${messageOf(error)}`);
    });
    const what = `the Kubernetes API server reported that "${textAt(live, "metadata", "name")}" failed to fully initialize or become live`;
    throw partial(error, what, live, checkpointOf(live));
  }
}

async function submit(change: Change): Promise<KubeObject> {
  if (isCustomResourceDefinition(change.inputs)) {
    return await replace(change);
  }
  return change.session.settings.serverSideApply ? await apply(change) : await patch(change);
}

/** Puts a definition in the place of the old one: the versions of a schema are a whole, and its objects stay. */
async function replace({ cluster, path, live, inputs, fieldManager, context }: Change): Promise<KubeObject> {
  const resourceVersion = at(live, "metadata", "resourceVersion") ?? null;
  return await cluster.api.send({
    method: "PUT",
    path,
    query: { fieldManager, fieldValidation: "Strict", dryRun: context.preview ? "All" : undefined },
    body: withAt(inputs, ["metadata", "resourceVersion"], resourceVersion),
  });
}

async function apply(change: Change): Promise<KubeObject> {
  const { session, cluster, path, fieldManager, context } = change;
  const live = context.preview ? change.live : await turnOver(cluster, path, change.live, fieldManager);
  const inputs = withIgnoredFields(change.inputs, live, fieldManager, change.ignoreChanges);
  try {
    return await cluster.api.send({
      method: "PATCH",
      path,
      query: {
        fieldManager,
        force: String(mayForce(inputs, live, session.settings.patchForce, context.preview)),
        fieldValidation: "Strict",
        dryRun: context.preview ? "All" : undefined,
      },
      contentType: "application/apply-patch+yaml",
      body: withoutAt(inputs, ["metadata", "managedFields"]),
    });
  } catch (error) {
    throw explainConflict(error, fieldManager);
  }
}

/** Turns the fields of kubectl and of creation over to the object's manager, so that the apply owns them. */
async function turnOver(cluster: Reachable, path: string, live: KubeObject, fieldManager: string): Promise<KubeObject> {
  const managedFields = takeOver(live, fieldManager);
  if (managedFields === undefined) {
    return live;
  }
  return await cluster.api.send({
    method: "PATCH",
    path,
    contentType: "application/json-patch+json",
    body: [{ op: "replace", path: "/metadata/managedFields", value: managedFields }],
  });
}

/** With server-side apply off: what differs from the last inputs, as a merge patch. */
async function patch({ cluster, path, before, inputs, fieldManager, context }: Change): Promise<KubeObject> {
  return await cluster.api.send({
    method: "PATCH",
    path,
    query: { fieldManager, fieldValidation: "Strict", dryRun: context.preview ? "All" : undefined },
    contentType: "application/merge-patch+json",
    body: mergePatch(before, inputs),
  });
}

/** Gives up what the object's former manager owned. */
async function relinquish(cluster: Reachable, path: string, object: KubeObject, fieldManager: string): Promise<void> {
  await cluster.api.send({
    method: "PATCH",
    path,
    query: { fieldManager },
    contentType: "application/apply-patch+yaml",
    body: {
      apiVersion: apiVersionOf(object),
      kind: object.kind,
      metadata: { name: nameOf(object), ...(namespaceOf(object) === "" ? {} : { namespace: namespaceOf(object) }) },
    },
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
