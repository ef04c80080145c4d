/** What the live canary of the replica that leads has found, as Prometheus has it: every replica tells the same. Pure. */
import type { EnforcementOverview, Finding } from "../../../../mesh/overview/model.js";
import { SCRAPE_JOBS, WELL_KNOWN } from "../../../../mesh/wire.js";
import { LAYERS, type Layer, type Outcome } from "../canary/model.js";
import type { Sample } from "./traffic.js";

/** Only what the controller itself tells counts. */
const OWN = `job="${SCRAPE_JOBS.applications}-mesh", service="${WELL_KNOWN.controller}"`;
export const ENFORCEMENT_QUERY = `max by (layer, outcome, node) (lucid_controller_canary{${OWN}})`;

/** Nodes that a message names. */
const NAMED = 5;

/** Null where nothing was told. */
export function enforcementOf(samples: readonly Sample[]): EnforcementOverview | null {
  const told = samples.flatMap(({ labels: { layer: of, outcome, node = "" }, value }) => {
    const layer = LAYERS.find((known) => known === of);
    return layer === undefined || !Number.isFinite(value) ? [] : [{ layer, outcome, node, pods: Math.round(value) }];
  });
  if (told.length === 0) return null;
  const open = (wanted: Outcome) =>
    told
      .filter(({ outcome, pods }) => outcome === wanted && pods > 0)
      .map(({ layer, node, pods }) => ({ layer, node, pods }))
      .sort((one, other) => (`${one.node} ${one.layer}` < `${other.node} ${other.layer}` ? -1 : 1));
  const enforced = (layer: Layer) =>
    told
      .filter((count) => count.layer === layer && count.outcome === "enforced")
      .reduce((sum, { pods }) => sum + pods, 0);
  return {
    enforced: { network: enforced("network"), sidecar: enforced("sidecar") },
    letIn: open("let-in"),
    blind: open("blind"),
  };
}

/** What of it is not well. */
export function enforcementFindings(enforcement: EnforcementOverview | null): Finding[] {
  const { letIn = [], blind = [] } = enforcement ?? {};
  return [
    ...(letIn.length === 0
      ? []
      : [
          {
            check: "enforcement",
            state: "failing" as const,
            message: `pods let in whom they must not: ${placesOf(letIn)}`,
          },
        ]),
    ...(blind.length === 0
      ? []
      : [
          {
            check: "enforcement",
            state: "unknown" as const,
            message: `of pods nobody knows whether they refuse whom they must: ${placesOf(blind)}`,
          },
        ]),
  ];
}

/** Where they are, in one line. */
export function placesOf(places: EnforcementOverview["letIn"]): string {
  const more = places.length - NAMED;
  const named = places.slice(0, NAMED).map(({ layer, node, pods }) => `${String(pods)} on ${node} (${layer})`);
  return named.join(", ") + (more > 0 ? `, and more on ${String(more)} others` : "");
}
