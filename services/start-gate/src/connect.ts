import { connect } from "node:net";

/** How an attempt to connect ended. Everything but `connected` counts as "not let through". */
export type Attempt =
  | { readonly connected: true }
  /** `code`: Node's error code (`ECONNREFUSED`, `EHOSTUNREACH`, …) or `TIMEOUT`. */
  | { readonly connected: false; readonly code: string };

/**
 * Opens a TCP connection and closes it at once.
 *
 * It never rejects: a policy may answer with a reset, with an ICMP error or not at all, and each of these is a result.
 *
 * @param timeout milliseconds after which silence counts as a refusal
 */
export function attempt(address: string, port: number, timeout: number): Promise<Attempt> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const timer = setTimeout(() => {
      finish({ connected: false, code: "TIMEOUT" });
    }, timeout);
    const finish = (result: Attempt): void => {
      clearTimeout(timer);
      // A reset rather than a FIN: nothing of a gate's connections stays behind in TIME_WAIT or in the target's queues.
      socket.resetAndDestroy();
      resolve(result);
    };
    socket.once("connect", () => {
      finish({ connected: true });
    });
    // `on`, not `once`: an error after the end (the reset of a socket that never connected) must not crash the gate.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      finish({ connected: false, code: error.code ?? error.name });
    });
  });
}
