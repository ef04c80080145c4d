/** The controller as somebody who may forward ports asks it. */
import { LABELS, WELL_KNOWN, namespaceOf } from "../../mesh";
import { OVERVIEW_API, overviewSchema, type Overview } from "../../mesh/overview/model";
import type { Cluster, PodRef } from "../check/cluster/cluster";
import { KINDS, Live } from "../check/cluster/live";
import { isReady } from "../check/cluster/objects";
import { CliError } from "../exit-status";

/** Container that serves the API, in the controller's pods. */
const CONTAINER = "controller";

export interface ControllerPort {
  readonly pod: PodRef;
  readonly port: number;
}

/**
 * A ready replica, and where its application listens. Each of them tells of the whole mesh.
 *
 * @throws CliError where none is ready
 * @throws ClusterError, UnreachableError
 */
export async function controllerPort(cluster: Cluster): Promise<ControllerPort> {
  const namespace = namespaceOf("mesh");
  // Pods come and go between two questions.
  const pods = await new Live(cluster).list(KINDS.pods, namespace);
  for (const pod of pods) {
    if (pod.metadata.labels?.[LABELS.name] !== WELL_KNOWN.controller || !isReady(pod)) continue;
    const container = pod.spec.containers.find(({ name }) => name === CONTAINER);
    const port = container?.ports?.[0]?.containerPort;
    if (port !== undefined) return { pod: { namespace, name: pod.metadata.name }, port };
  }
  throw new CliError(
    `no pod of ${namespace}/${WELL_KNOWN.controller} is ready to be asked; \`mesh check\` says what is wrong, or deploy the mesh by \`npm start\``,
  );
}

/**
 * How the mesh is.
 *
 * @throws CliError where the controller gives no such answer
 */
export async function readOverview(cluster: Cluster): Promise<Overview> {
  const { pod, port } = await controllerPort(cluster);
  const { status, body } = await cluster.ask(pod, port, `${OVERVIEW_API}/overview`);
  const overview = status === 200 ? overviewSchema.safeParse(tryJson(body)) : undefined;
  if (overview?.success === true) return overview.data;
  const what = status === 200 ? "something that this command can't read" : String(status);
  throw new CliError(
    `${pod.namespace}/${pod.name} answers ${what}; deploy the controller and use this command of the same version of the package`,
  );
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
