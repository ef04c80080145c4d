import type { CheckRequest, CheckResult, DiffRequest, DiffResult } from "../../protocol/provider";
import { annotationOf, at, isNamed, type KubeObject, nameOf, namespaceOf, withAt } from "../objects";
import { markSecrets, readCheckpoint } from "../checkpoint";
import { diffObjects } from "../diff";
import { toObject } from "../inputs";
import { normalize } from "../normalize";
import { ANNOTATIONS, hasManagedByLabel, withFormerName, withGeneratedName, withManagedByLabel } from "../naming";
import { jobVerdict } from "../await/workloads";
import type { Session } from "../session";

/** Fills in what the program leaves to the provider: a name, a namespace. Needs no cluster. */
export async function check(session: Session, request: CheckRequest): Promise<CheckResult> {
  const { settings, connection } = session;
  const { news, olds, context } = request;
  if (!connection.reachable && settings.skipUpdateUnreachable) {
    context.log("warning", "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...");
    return { inputs: olds, failures: [] };
  }
  session.sayIfUnreachable(context);
  const former = toObject(olds);
  let inputs = normalize(toObject(news));
  const isNew = Object.keys(former).length === 0;
  if (isNew) {
    inputs = withGeneratedName(inputs, context.name, request.randomSeed);
  } else {
    inputs = withFormerName(inputs, former);
  }
  if (isNew ? !settings.serverSideApply : hasManagedByLabel(former)) {
    inputs = withManagedByLabel(inputs);
  }
  if (!isNamed(inputs) && at(inputs, "metadata", "generateName") !== undefined && settings.serverSideApply) {
    throw new Error("the `.metadata.generateName` field is not supported in Server-Side Apply mode");
  }
  if (annotationOf(toObject(news), ANNOTATIONS.autonamed) !== "") {
    context.log("warning", `ignoring user-specified value for internal annotation "${ANNOTATIONS.autonamed}"`);
  }
  session.scopes.learn(inputs);
  inputs = await withDefaultNamespace(session, inputs);
  return { inputs: markSecrets(inputs, news), failures: [] };
}

async function withDefaultNamespace(session: Session, inputs: KubeObject): Promise<KubeObject> {
  const { defaultNamespace } = session.connection;
  const isOpen = at(inputs, "metadata", "namespace") === undefined || namespaceOf(inputs) === "";
  const isKnown = typeof (at(inputs, "metadata", "namespace") ?? "") === "string";
  if (defaultNamespace === "" || !isOpen || !isKnown || !(await session.isNamespaced(inputs))) {
    return inputs;
  }
  return withAt(inputs, ["metadata", "namespace"], defaultNamespace);
}

/** Compares with the state alone; no cluster is asked, save for an object that is to be replaced while it isn't ready. */
export async function diff(session: Session, request: DiffRequest): Promise<DiffResult> {
  const stored = readCheckpoint(request.olds);
  const newInputs = normalize(toObject(request.news));
  const result = diffObjects({
    oldInputs: normalize(stored.inputs),
    oldLive: stored.live,
    newInputs,
    namespaced: await session.isNamespaced(newInputs),
    mutable: session.settings.mutable,
    ignoreChanges: request.ignoreChanges,
  });
  return annotationOf(newInputs, ANNOTATIONS.replaceUnready) === "true"
    ? await replacingUnready(session, request, stored.live, newInputs, result)
    : result;
}

async function replacingUnready(
  session: Session,
  { context }: DiffRequest,
  oldLive: KubeObject,
  newInputs: KubeObject,
  result: DiffResult,
): Promise<DiffResult> {
  if (!session.connection.reachable) {
    context.log("warning", "Cluster is unreachable, skipping replaceUnready check");
    return result;
  }
  if (newInputs.kind !== "Job") {
    context.log("warning", "replaceUnready annotation is not supported for this resource");
    return result;
  }
  const { api, discovery } = session.connection;
  try {
    const path = await discovery.path(oldLive, nameOf(oldLive));
    if (jobVerdict(await api.send({ method: "GET", path })).state === "ready") {
      return result;
    }
  } catch {
    // Whether it is ready can't be told, and so is no reason to replace it.
    return result;
  }
  const replaces = [...(result.replaces ?? []), `.metadata.annotations["${ANNOTATIONS.replaceUnready}"]`];
  return { ...result, changes: true, replaces, deleteBeforeReplace: true };
}
