import { isIP } from "node:net";

/** What the gate tries, and for how long. */
export interface GateConfig {
  /** IP address of the target. A name would need DNS, which the pod's own sidecar answers only for declared edges. */
  readonly address: string;
  /** TCP port that the pod's policy allows: a connection proves that the target lives and that the pod's egress works. */
  readonly openPort: number;
  /** TCP port that the target serves and the pod's policy forbids: no connection means that the policy is enforced. */
  readonly canaryPort: number;
  /** Seconds after which the gate gives up, so that kubelet starts it again. */
  readonly timeoutSeconds: number;
}

/** Largest accepted GATE_TIMEOUT_SECONDS. */
const MAXIMUM_TIMEOUT_SECONDS = 3600;
const DEFAULT_TIMEOUT_SECONDS = 60;

/**
 * Reads the gate's settings from the environment.
 *
 * @throws Error with all problems in one line, each naming its variable and the mend.
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): GateConfig {
  const problems: string[] = [];

  const address = env.GATE_ADDRESS ?? "";
  if (isIP(address) === 0) {
    problems.push(`GATE_ADDRESS: ${shown(address)} is no IP address; set the address of a target that is always there`);
  }
  const openPort = wholeNumber(env, "GATE_OPEN_PORT", 1, 65535, problems);
  const canaryPort = wholeNumber(env, "GATE_CANARY_PORT", 1, 65535, problems);
  if (openPort === canaryPort && env.GATE_OPEN_PORT !== undefined && openPort !== 0) {
    problems.push(
      `GATE_CANARY_PORT: ${String(canaryPort)} is the open port too; set a port that the pod's policy forbids`,
    );
  }
  const timeoutSeconds =
    env.GATE_TIMEOUT_SECONDS === undefined
      ? DEFAULT_TIMEOUT_SECONDS
      : wholeNumber(env, "GATE_TIMEOUT_SECONDS", 1, MAXIMUM_TIMEOUT_SECONDS, problems);

  if (problems.length > 0) {
    throw new Error(problems.join("; "));
  }
  return { address, openPort, canaryPort, timeoutSeconds };
}

/** A decimal whole number within bounds; otherwise 0, and a problem is noted. */
function wholeNumber(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  low: number,
  high: number,
  problems: string[],
): number {
  const text = env[name] ?? "";
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value < low || value > high) {
    problems.push(`${name}: ${shown(text)} is no whole number from ${String(low)} to ${String(high)}`);
    return 0;
  }
  return value;
}

function shown(text: string): string {
  return text === "" ? "nothing" : JSON.stringify(text.slice(0, 64));
}
