import { type DeleteRequest, InitializationFailure } from "../../protocol/provider";
import { isNotFound, NoSuchKind } from "../api-error";
import { awaitGone } from "../await/gone";
import { NotReady } from "../await/ready";
import { readCheckpoint, writeCheckpoint } from "../checkpoint";
import { ANNOTATIONS } from "../naming";
import { annotationOf, idOf, type KubeObject, namespaceOf, parseId } from "../objects";
import type { Session } from "../session";

const REMOVE_IT =
  "configured Kubernetes cluster is unreachable. If the cluster was deleted, you can remove this resource from Pulumi state by " +
  'rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"';

/** Deletes an object with all it owns, and waits until it is gone. One that is gone already is no failure. */
export async function remove(session: Session, { id, outputs, context }: DeleteRequest): Promise<void> {
  const { settings, connection } = session;
  if (!connection.reachable) {
    context.log("warning", `configured Kubernetes cluster is unreachable: ${connection.reason}`);
    if (settings.deleteUnreachable) {
      context.log("info", "`deleteUnreachable` is enabled: the unreachable resource is taken out of the Pulumi state");
      return;
    }
    throw new Error(REMOVE_IT);
  }
  const stored = readCheckpoint(outputs);
  const { namespace, name } = parseId(id);
  const { api, discovery } = connection;
  try {
    const path = await discovery.path(stored.live, name, namespaceOf(stored.live) || namespace);
    await api.send({ method: "DELETE", path, body: deleteOptions(stored.inputs) });
    await awaitGone(connection, stored.inputs, stored.live, path, context);
  } catch (error) {
    // With its definition gone, a custom resource is gone too.
    if (isNotFound(error) || error instanceof NoSuchKind) {
      return;
    }
    if (error instanceof NotReady) {
      const live = writeCheckpoint({ ...stored, live: error.object }, outputs);
      throw new InitializationFailure(idOf(error.object), live, [error.message, ...error.reasons]);
    }
    throw error;
  }
}

function deleteOptions(inputs: KubeObject): KubeObject {
  const asked = annotationOf(inputs, ANNOTATIONS.deletionPropagation).toLowerCase();
  const policy = asked === "orphan" ? "Orphan" : asked === "background" ? "Background" : "Foreground";
  return { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: policy };
}
