/** Keeps the controller from putting right what a test of another layer opens. */
import type { V1ConfigMap } from "@kubernetes/client-node";
import { DECLARATION } from "../../../mesh/declarations";
import { core } from "./cluster";
import { mesh } from "./document";

/** Milliseconds in which the controller has heard of it: nothing that it tells says so. */
const HEARD = 2_000;

let pauses = 0;
let pausing: Promise<readonly V1ConfigMap[]> = Promise.resolve([]);

/** From now on it tells of drift, and puts nothing right: where the end of a declaration is missing, a program is about to take all away. */
export async function pauseRepairs(): Promise<void> {
  pauses += 1;
  if (pauses === 1) pausing = takeEndsAway();
  await pausing;
}

/** Ends one pause; after the last the ends of the declarations are put back as Pulumi made them. */
export async function resumeRepairs(): Promise<void> {
  pauses -= 1;
  if (pauses > 0) return;
  const taken = await pausing;
  for (const { metadata, data } of taken) {
    const { name, namespace = "", labels, annotations } = metadata ?? {};
    const body = { metadata: { name, namespace, labels, annotations }, data };
    await core.createNamespacedConfigMap({ namespace, body, fieldManager: "pulumi-kubernetes" });
  }
}

async function takeEndsAway(): Promise<readonly V1ConfigMap[]> {
  const taken: V1ConfigMap[] = [];
  for (const { namespace } of mesh.zones) {
    const name = DECLARATION.done;
    taken.push(await core.readNamespacedConfigMap({ name, namespace }));
    await core.deleteNamespacedConfigMap({ name, namespace });
  }
  await new Promise((resolve) => setTimeout(resolve, HEARD));
  return taken;
}
