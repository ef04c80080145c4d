/** Counters of a sidecar, as its application may read them. */
import { SIDECAR_PORTS } from "../../../mesh";
import type { PodRef } from "./cluster";
import { podGet } from "./http-get";

/** The value of one of Envoy's counters or gauges by its full name; 0 where it was never touched. */
export async function sidecarStat(pod: PodRef, name: string): Promise<number> {
  const escaped = name.replaceAll(/[|.]/g, "\\$&");
  const query = new URLSearchParams({ filter: `^${escaped}$` });
  const text = await podGet(pod, SIDECAR_PORTS.admin, `/stats?${query.toString()}`);
  const [, value] = /: (\d+)\s*$/.exec(text) ?? [];
  return Number(value ?? 0);
}
