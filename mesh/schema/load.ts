/** What a service expects to carry; its sidecar's resources are computed from it. */
import { z } from "zod";

/** The load of a service that declares none. */
export const DEFAULT_LOAD = { requestsPerSecond: 100, connections: 100 } as const;

function amount(what: string, most: number) {
  return z
    .int({ error: `this is no number of ${what}; write a whole number` })
    .min(1, { error: `the number of ${what} is below 1; write 1 or more` })
    .max(most, {
      error: `one pod has ${String(most)} ${what} at most; declare what one pod carries, and more replicas`,
    });
}

export const load = z.strictObject({
  requestsPerSecond: amount("requests a second", 100_000)
    .default(DEFAULT_LOAD.requestsPerSecond)
    .describe("Requests a second that one pod carries at its busiest, its own calls included. No limit is made of it."),
  connections: amount("connections", 10_000)
    .default(DEFAULT_LOAD.connections)
    .describe(
      "Connections that one pod has open at its busiest: of callers' pods, and of its application. No limit is made of it.",
    ),
});
