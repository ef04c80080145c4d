import type { ClientRequest } from "node:http";

/** Milliseconds in which a discovery backend must have answered completely, connecting included. */
const REQUEST_TIMEOUT = 5_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends a request over a connection that may be kept open, and reads the whole answer. One that met a kept connection which the server closed just then is
 * sent once more, on a fresh one.
 *
 * @param open opens the request; what is sent by it may be repeated
 * @throws Error where there is no complete answer in time
 */
export async function exchange(open: () => ClientRequest, payload?: string): Promise<Answer> {
  const request = open();
  try {
    return await completed(request, payload);
  } catch (error) {
    if (!(request.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET")) throw error;
    return completed(open(), payload);
  }
}

function completed(request: ClientRequest, payload: string | undefined): Promise<Answer> {
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
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("error", fail);
      response.once("end", () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    request.end(payload);
  });
}
