/** Series as the mesh's Prometheus has them: the labels of a target, and what was told over time. */
import { STEP, type PastSeries } from "./promtool";

/** A value, and for how many minutes. */
export type Stretch = readonly [value: number, minutes: number];

/** What stays as it is for a while, one stretch after the other. */
export function lasting(...stretches: readonly Stretch[]): number[] {
  return stretches.flatMap(([value, minutes]) => Array<number>((minutes * 60) / STEP).fill(value));
}

/** A counter, by how much it grows with each sample. */
export function growing(...stretches: readonly (readonly [growth: number, minutes: number])[]): number[] {
  let count = 0;
  return stretches.flatMap(([growth, minutes]) =>
    Array.from({ length: (minutes * 60) / STEP }, () => (count += growth)),
  );
}

/** A metric of the controller's, with what else it says of itself. */
export function ofController(metric: string, labels: string, samples: PastSeries["samples"], pod = 0): PastSeries {
  return ofApplication("mesh-controller", "mesh", metric, labels, samples, pod);
}

/** A metric of an application. */
export function ofApplication(
  service: string,
  zone: string,
  metric: string,
  labels: string,
  samples: PastSeries["samples"],
  pod = 0,
): PastSeries {
  return { series: named(metric, target("applications", service, zone, pod), labels), samples };
}

/** What a service's sidecar counted. */
export function ofSidecar(service: string, metric: string, labels: string, samples: PastSeries["samples"]): PastSeries {
  return { series: named(metric, target("sidecars", service, ZONE_OF[service] ?? "ops", 0), labels), samples };
}

/** Where services of the cases are. */
const ZONE_OF: Readonly<Record<string, string>> = {
  "admin-ui": "ops",
  "lucid-blocks": "chain",
  "payout-router": "wallet",
};

function target(kind: string, service: string, zone: string, pod: number): string {
  return `job="${kind}-${zone}", zone="${zone}", service="${service}", pod="${service}-${String(pod)}"`;
}

function named(metric: string, labels: string, more: string): string {
  return `${metric}{${labels}${more === "" ? "" : `, ${more}`}}`;
}
