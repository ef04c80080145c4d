import type { ClientRequest } from "node:http";

/** Milliseconds in which a discovery backend must have answered completely, connecting included. */
const REQUEST_TIMEOUT = 5_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** An answer was longer than who asked reads. */
export class AnswerTooLong extends Error {
  override readonly name = "AnswerTooLong";

  /** @param limit bytes */
  constructor(limit: number) {
    super(`the answer has more than ${String(limit)} bytes`);
  }
}

/**
 * Sends a request over a connection that may be kept open, and reads the whole answer. One that met a kept connection which the server closed just then is
 * sent once more, on a fresh one.
 *
 * @param open opens the request; what is sent by it may be repeated
 * @param limit bytes of an answer that are read. Default: however many there are
 * @throws AnswerTooLong where there are more; Error where there is no complete answer in time
 */
export async function exchange(
  open: () => ClientRequest,
  payload?: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<Answer> {
  const request = open();
  try {
    return await completed(request, payload, limit);
  } catch (error) {
    if (!(request.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET")) throw error;
    return completed(open(), payload, limit);
  }
}

function completed(request: ClientRequest, payload: string | undefined, limit: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      request.destroy(new Error(`no answer in ${String(REQUEST_TIMEOUT / 1000)} s`));
    }, REQUEST_TIMEOUT);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    request.once("error", fail);
    request.once("response", (response) => {
      let text = "";
      let bytes = 0;
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        bytes += Buffer.byteLength(chunk);
        if (bytes <= limit) return;
        fail(new AnswerTooLong(limit));
        request.destroy();
      });
      response.once("error", fail);
      response.once("end", () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    request.end(payload);
  });
}
