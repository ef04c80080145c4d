/** What Prometheus of the deployed mesh rings. */
import { WELL_KNOWN, firstPort } from "../../../mesh";
import { podOf } from "./cluster";
import { service } from "./document";
import { podGet } from "./http-get";

/** Labels of each alert of a name that fires. */
export async function firing(name: string): Promise<readonly Readonly<Record<string, string>>[]> {
  const prometheus = service(WELL_KNOWN.prometheus);
  const body = await podGet(await podOf(prometheus), firstPort(prometheus).port, "/api/v1/alerts");
  const { data } = JSON.parse(body) as {
    data: { alerts: { state: string; labels: Readonly<Record<string, string>> }[] };
  };
  return data.alerts
    .filter(({ state, labels }) => state === "firing" && labels.alertname === name)
    .map(({ labels }) => labels);
}
