/** Counters of a sidecar, as its application may read them. */
import { SIDECAR_PORTS } from "../../../mesh";
import { forward } from "./cluster";
import type { PodRef } from "./cluster";

/** The value of one of Envoy's counters or gauges by its full name; 0 where it was never touched. */
export async function sidecarStat(pod: PodRef, name: string): Promise<number> {
  const forwarded = await forward(pod, SIDECAR_PORTS.admin);
  try {
    const escaped = name.replaceAll(/[|.]/g, "\\$&");
    const query = new URLSearchParams({ filter: `^${escaped}$` });
    const response = await fetch(`http://127.0.0.1:${String(forwarded.port)}/stats?${query.toString()}`, {
      headers: { connection: "close" },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the sidecar of ${pod.name} answered ${String(response.status)}: ${text}`);
    const [, value] = /: (\d+)\s*$/.exec(text) ?? [];
    return Number(value ?? 0);
  } finally {
    forwarded.close();
  }
}
