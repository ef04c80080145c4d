/** Takes the admission policies out for one request: a test of another layer does what they refuse. */
import assert from "node:assert/strict";
import { AdmissionregistrationV1Api } from "@kubernetes/client-node";
import { PROBE } from "../../../admission";
import { LABELS, PART_OF } from "../../../mesh";
import { core, kubeConfig, mergePatch } from "./cluster";
import { pauseRepairs, resumeRepairs } from "./drift";
import { eventually } from "./eventually";

const api = kubeConfig.makeApiClient(AdmissionregistrationV1Api);

let turn: Promise<unknown> = Promise.resolve();

/** Makes a request while the admission policies only note what they would refuse, and puts them back. Requests that come meanwhile wait their turn. */
export async function withoutAdmission<T>(request: () => Promise<T>): Promise<T> {
  const mine = turn.then(async () => {
    await pauseRepairs();
    try {
      await setAction("Audit");
      await eventually("admission policies that refuse nothing", probe);
      return await request();
    } finally {
      await setAction("Deny");
      // Else the next turn would take what is left of this one for its own.
      await eventually("admission policies that refuse", () => assert.rejects(probe, /are in force/));
      await resumeRepairs();
    }
  });
  turn = mine.catch(() => undefined);
  return mine;
}

/** Asks for what the policies always refuse: it passes, or not, once the API server has heard of them all. */
function probe(): Promise<unknown> {
  const body = { metadata: { name: PROBE } };
  return core.createNamespacedConfigMap({ namespace: "lucid-mesh", body, dryRun: "All" });
}

async function setAction(action: "Audit" | "Deny"): Promise<void> {
  const labelSelector = `${LABELS.partOf}=${PART_OF}`;
  const { items } = await api.listValidatingAdmissionPolicyBinding({ labelSelector });
  // The probe's last, by which it is seen that all are out.
  const isProbe = (name: string) => name === "lucid-in-force";
  const names = items.map(({ metadata }) => metadata?.name ?? "");
  for (const name of [...names.filter((each) => !isProbe(each)), ...names.filter(isProbe)]) {
    const body = { spec: { validationActions: [action] } };
    await api.patchValidatingAdmissionPolicyBinding({ name, body }, mergePatch);
  }
}
