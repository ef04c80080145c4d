import type { Attempt } from "./connect.js";

/** Consecutive good rounds that open the gate: one alone may fall between two rewrites of the packet filter. */
export const ROUNDS = 3;
/** Milliseconds between two rounds. */
export const INTERVAL = 100;
/** Milliseconds after which an unanswered connection counts as refused. */
export const CONNECT_TIMEOUT = 300;

/** What one round has shown. */
export type Round =
  /** The canary was refused, and after that the target still answered: the policy is enforced. */
  | { readonly kind: "enforced" }
  /** The canary was let through: the policy is not enforced (yet). */
  | { readonly kind: "canary-open" }
  /** The allowed port did not answer, so the refusal of the canary says nothing. */
  | { readonly kind: "target-silent"; readonly code: string };

/** What the gate does to the world; replaced in tests. */
export interface GateWorld {
  readonly tryCanary: () => Promise<Attempt>;
  readonly tryOpen: () => Promise<Attempt>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Monotonic clock, in milliseconds. */
  readonly now: () => number;
}

/** Why and when the gate ended. */
export interface GateResult {
  readonly passed: boolean;
  /** Milliseconds from the first attempt to the decision. */
  readonly waited: number;
  /** All rounds made. */
  readonly rounds: number;
  /** Rounds in which the canary was let through: how long the pod stood open. */
  readonly canaryOpenRounds: number;
  /** Rounds in which the target did not answer. */
  readonly targetSilentRounds: number;
  /** One line; only when the gate did not pass. */
  readonly reason?: string;
}

/**
 * Repeats rounds until `ROUNDS` of them in a row have shown an enforced policy, or until the time is over.
 *
 * The canary is tried first and the allowed port *after* it: a target that dies between two attempts would otherwise make a
 * dead canary look like a refused one.
 *
 * @param timeout milliseconds
 */
export async function runGate(world: GateWorld, timeout: number): Promise<GateResult> {
  const start = world.now();
  let rounds = 0;
  let inARow = 0;
  let canaryOpenRounds = 0;
  let targetSilentRounds = 0;
  for (;;) {
    const round = await runRound(world);
    rounds += 1;
    inARow = round.kind === "enforced" ? inARow + 1 : 0;
    canaryOpenRounds += round.kind === "canary-open" ? 1 : 0;
    targetSilentRounds += round.kind === "target-silent" ? 1 : 0;

    const waited = world.now() - start;
    const result = { waited, rounds, canaryOpenRounds, targetSilentRounds };
    if (inARow >= ROUNDS) {
      return { passed: true, ...result };
    }
    if (waited + INTERVAL > timeout) {
      return { passed: false, ...result, reason: reasonOf(round, inARow) };
    }
    await world.sleep(INTERVAL);
  }
}

/** One round: the canary, and after it the allowed port. */
export async function runRound(world: Pick<GateWorld, "tryCanary" | "tryOpen">): Promise<Round> {
  const canary = await world.tryCanary();
  if (canary.connected) {
    return { kind: "canary-open" };
  }
  const open = await world.tryOpen();
  return open.connected ? { kind: "enforced" } : { kind: "target-silent", code: open.code };
}

function reasonOf(last: Round, inARow: number): string {
  switch (last.kind) {
    case "canary-open":
      return "the canary port is still reachable: this pod's NetworkPolicy is missing or not enforced on this node; check the policy and the enforcer";
    case "target-silent":
      return `the open port does not answer (${last.code}), so a refused canary proves nothing; check that the target runs on this node and that this pod's NetworkPolicy allows it`;
    case "enforced":
      return `the policy was seen enforced in ${String(inARow)} of ${String(ROUNDS)} rounds in a row when the time was over; raise GATE_TIMEOUT_SECONDS`;
  }
}
