/**
 * Init container that stands before a pod's application: it ends well only when the pod's NetworkPolicy is enforced.
 *
 * Exit status 0: enforced. 1: not enforced in time, kubelet starts the gate again. 2: its settings are wrong.
 * One JSON line on standard output says which, and how long it took.
 */
import { parseConfig, type GateConfig } from "./config.js";
import { attempt } from "./connect.js";
import { CONNECT_TIMEOUT, runGate } from "./gate.js";

async function main(): Promise<number> {
  let config: GateConfig;
  try {
    config = parseConfig(process.env);
  } catch (error) {
    report("error", "start gate misconfigured", { reason: error instanceof Error ? error.message : String(error) });
    return 2;
  }
  const { address, openPort, canaryPort, timeoutSeconds } = config;
  const result = await runGate(
    {
      tryCanary: () => attempt(address, canaryPort, CONNECT_TIMEOUT),
      tryOpen: () => attempt(address, openPort, CONNECT_TIMEOUT),
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      now: () => performance.now(),
    },
    timeoutSeconds * 1000,
  );
  const { passed, waited, rounds, canaryOpenRounds, targetSilentRounds, reason } = result;
  report(passed ? "info" : "error", passed ? "network policy enforced" : "network policy not enforced", {
    address,
    openPort,
    canaryPort,
    waitedMilliseconds: Math.round(waited),
    rounds,
    canaryOpenRounds,
    targetSilentRounds,
    ...(reason === undefined ? {} : { reason }),
  });
  return passed ? 0 : 1;
}

function report(level: "info" | "error", message: string, fields: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
}

// The first process of a container has no default action for signals: without this a deleted pod would wait out its grace period.
for (const [signal, status] of [
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const) {
  process.once(signal, () => {
    process.exit(status);
  });
}

void main().then((status) => {
  process.exitCode = status;
});
