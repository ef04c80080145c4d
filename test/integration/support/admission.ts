/** Takes the admission policies out for one request: a test of another layer does what they refuse. */
import { AdmissionregistrationV1Api } from "@kubernetes/client-node";
import { PROBE } from "../../../admission";
import { LABELS, PART_OF } from "../../../mesh";
import { core, kubeConfig, mergePatch } from "./cluster";
import { eventually } from "./eventually";

const api = kubeConfig.makeApiClient(AdmissionregistrationV1Api);

let turn: Promise<unknown> = Promise.resolve();

/** Makes a request while the admission policies only note what they would refuse, and puts them back. Requests that come meanwhile wait their turn. */
export async function withoutAdmission<T>(request: () => Promise<T>): Promise<T> {
  const mine = turn.then(async () => {
    await setAction("Audit");
    try {
      // What they always refuse passes: the API server has heard of it.
      const body = { metadata: { name: PROBE } };
      await eventually("admission policies that refuse nothing", () =>
        core.createNamespacedConfigMap({ namespace: "lucid-mesh", body, dryRun: "All" }),
      );
      return await request();
    } finally {
      await setAction("Deny");
    }
  });
  turn = mine.catch(() => undefined);
  return mine;
}

async function setAction(action: "Audit" | "Deny"): Promise<void> {
  const labelSelector = `${LABELS.partOf}=${PART_OF}`;
  const { items } = await api.listValidatingAdmissionPolicyBinding({ labelSelector });
  // The probe's last, by which it is seen that all are out.
  const names = items.map(({ metadata }) => metadata?.name ?? "").sort((a) => (a === "lucid-in-force" ? 1 : -1));
  for (const name of names) {
    const body = { spec: { validationActions: [action] } };
    await api.patchValidatingAdmissionPolicyBinding({ name, body }, mergePatch);
  }
}
