/** How an application of the lab misbehaves, on request, and what it counted meanwhile. */
import type * as http from "node:http";

/** What an application does with each request to a path that begins with `path`. */
export interface Fault {
  /** Default: every path but the health check's. */
  readonly path?: string;
  /** Default: 200. */
  readonly status?: number;
  /** Time before the answer. Default: none. */
  readonly delayMs?: number;
  /** So many requests are treated so, then no more. Default: all. */
  readonly times?: number;
}

interface State {
  fault?: Fault;
  left: number;
  seen: number;
}

const states = new Map<number, State>();

function stateOf(port: number): State {
  const state = states.get(port) ?? { left: 0, seen: 0 };
  states.set(port, state);
  return state;
}

/** Makes the application at a port misbehave, or behave again; its count begins anew. */
export function setFault(args: { port: number; fault?: Fault }): Promise<void> {
  states.set(args.port, { fault: args.fault, left: args.fault?.times ?? Infinity, seen: 0 });
  return Promise.resolve();
}

/** Requests that reached the application since its fault was set, health checks left out. */
export function requestsSeen(args: { port: number }): Promise<number> {
  return Promise.resolve(stateOf(args.port).seen);
}

/** How long the application at a port takes its time. */
export function delayOf(port: number): number {
  return stateOf(port).fault?.delayMs ?? 0;
}

/** Counts a request and calls `answer` when its time has come, with the status that it should have, if not its own. */
export function misbehave(port: number, request: http.IncomingMessage, answer: (status?: number) => void): void {
  const state = stateOf(port);
  if (request.url === "/health") {
    answer();
    return;
  }
  state.seen += 1;
  const { fault } = state;
  if (fault === undefined || state.left <= 0 || request.url?.startsWith(fault.path ?? "/") !== true) {
    answer();
    return;
  }
  state.left -= 1;
  setTimeout(() => {
    answer(fault.status);
  }, fault.delayMs ?? 0);
}
