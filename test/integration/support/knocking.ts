/** Somebody with a copy of a service's key, who goes on calling. */
import assert from "node:assert/strict";
import * as https from "node:https";
import { IDENTITY_TOKEN } from "../../../mesh/wire";
import { forward } from "./cluster";
import { eventually } from "./eventually";
import { answerOf, describeAnswer, request, type Answer, type Attempt } from "./handshake";

const PAUSE_MS = 250;
const TIMEOUT_MS = 10_000;
/** So long past a deadline somebody who knocks four times a second would have been answered. */
const SURE_SECONDS = 10;

/** What became of the calls. */
export interface Knocked {
  readonly answered: number;
  readonly refused: number;
  /** When the last call was answered 200; undefined where none was. */
  readonly lastAnsweredAt?: number;
  /** What became of the last call that wasn't. */
  readonly lastRefusal?: string;
}

/** Calls under way. */
export interface Knocking {
  /** As far as it has come. */
  state(): Knocked;
  stop(): Promise<Knocked>;
}

/**
 * Waits until each has been answered more than so many times from now on.
 *
 * @throws Error with what became of each
 */
export async function untilLetIn(what: string, more: number, ...knockings: readonly Knocking[]): Promise<void> {
  const before = knockings.map((each) => each.state().answered);
  await eventually(what, () => {
    const states = knockings.map((each) => each.state());
    assert.ok(
      states.every(({ answered }, index) => answered - (before[index] ?? 0) > more),
      JSON.stringify(states),
    );
    return Promise.resolve();
  });
}

/**
 * Has them knock until well after a deadline (milliseconds since the epoch), and ends them.
 *
 * @returns what became of each, in their order
 * @throws AssertionError where one was answered after it, or was never answered at all
 */
export async function assertShutOut(deadline: number, ...knockings: readonly Knocking[]): Promise<readonly Knocked[]> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, deadline + SURE_SECONDS * 1000 - Date.now())));
  const results = await Promise.all(knockings.map((each) => each.stop()));
  for (const { lastAnsweredAt, refused } of results) {
    assert.ok(lastAnsweredAt !== undefined, "it was never let in");
    assert.ok(
      lastAnsweredAt < deadline,
      `it was let in ${String((lastAnsweredAt - deadline) / 1000)} s after the deadline`,
    );
    assert.ok(refused > SURE_SECONDS, `it was refused ${String(refused)} times`);
  }
  return results;
}

/** Calls four times a second at most, each on a connection of its own. */
export function knockAnew(attempt: Attempt): Knocking {
  return knocking(() => request(attempt));
}

/** Calls four times a second on one connection, which is made anew only where the other end has closed it. */
export async function knockOnOneConnection(attempt: Attempt): Promise<Knocking> {
  const forwarded = await forward(attempt.pod, 15001);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  const token = attempt.credentials?.token;
  const options: https.RequestOptions = {
    host: "127.0.0.1",
    port: forwarded.port,
    agent,
    path: attempt.path ?? "/",
    timeout: TIMEOUT_MS,
    headers: { host: "probe", ...(token === undefined ? {} : { [IDENTITY_TOKEN.header]: token }) },
    servername: attempt.serverName,
    // It is the server's check of the client that is under test here.
    rejectUnauthorized: false,
    ...attempt.credentials,
  };
  const calls = knocking(() => answerOf(https.get(options)));
  return {
    state: () => calls.state(),
    stop: async () => {
      const result = await calls.stop();
      agent.destroy();
      forwarded.close();
      return result;
    },
  };
}

function knocking(knock: () => Promise<Answer>): Knocking {
  let state: Knocked = { answered: 0, refused: 0 };
  let stopped = false;
  const run = async () => {
    while (!stopped) {
      const answer = await knock();
      state =
        "status" in answer && answer.status === 200
          ? { ...state, answered: state.answered + 1, lastAnsweredAt: Date.now() }
          : { ...state, refused: state.refused + 1, lastRefusal: describeAnswer(answer) };
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const running = run();
  return {
    state: () => state,
    stop: async () => {
      stopped = true;
      await running;
      return state;
    },
  };
}
