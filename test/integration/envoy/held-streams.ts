/** What agents keep up over time: steady load, and streams that stay open until somebody ends them. Times are of the machine's clock, in ms. */
import * as http from "node:http";
import * as grpc from "@grpc/grpc-js";
import { collect, TIMEOUT_MS } from "./answer";

/** How requests at a steady rate ended. */
export interface LoadResult {
  readonly requests: number;
  /** For how long they were sent. */
  readonly seconds: number;
  /** By status, or by what the connection failed of. */
  readonly statuses: Readonly<Record<string, number>>;
  /** When the first request that did not end with 200 ended, and when the last that did. */
  readonly firstFailureAt?: number;
  readonly lastSuccessAt?: number;
}

let running = new AbortController();

/** Ends what {@link watchedLoad} and the streams began. */
export function stopWatched(): Promise<void> {
  running.abort();
  return Promise.resolve();
}

/**
 * `GET` at a steady rate, whatever the answers take: every other request on a kept-alive connection, the others on a new one each. Ends after `forMs`, or at
 * {@link stopWatched}.
 */
export async function watchedLoad(args: {
  host: string;
  port: number;
  path: string;
  perSecond: number;
  forMs: number;
}): Promise<LoadResult> {
  running = new AbortController();
  const keptAlive = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const statuses: Record<string, number> = {};
  let firstFailureAt: number | undefined;
  let lastSuccessAt: number | undefined;
  const one = (agent: http.Agent | false) =>
    new Promise<void>((resolve) => {
      const { host, port, path } = args;
      const done = (status: number | string) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 200) lastSuccessAt = Date.now();
        else firstFailureAt ??= Date.now();
        resolve();
      };
      const outgoing = http.get({ host, port, path, agent, timeout: TIMEOUT_MS }, (response) => {
        collect(response, () => {
          done(response.statusCode ?? 0);
        });
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error("timeout")));
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        done(`${error.code ?? error.message} after ${String(Date.now() - start)} ms`);
      });
    });
  const start = Date.now();
  const pending: Promise<void>[] = [];
  while (!running.signal.aborted && Date.now() - start < args.forMs) {
    const due = Math.floor(((Date.now() - start) / 1000) * args.perSecond);
    while (pending.length < due) pending.push(one(pending.length % 2 === 0 ? keptAlive : false));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const seconds = (Date.now() - start) / 1000;
  await Promise.all(pending);
  keptAlive.destroy();
  return { requests: pending.length, seconds, statuses, firstFailureAt, lastSuccessAt };
}

/** How a stream went that was to stay open. */
export interface StreamResult {
  readonly messages: number;
  /** When the other side ended it; absent where it was open to the last. */
  readonly endedAt?: number;
  readonly how?: string;
}

/** A gRPC server stream (`/fgrpc.PingServer/Watch`), open for `forMs` or until it is ended. */
export function holdGrpcStream(args: { target: string; forMs: number }): Promise<StreamResult> {
  const client = new grpc.Client(args.target, grpc.credentials.createInsecure());
  return new Promise((resolve) => {
    let messages = 0;
    const call = client.makeServerStreamRequest(
      "/fgrpc.PingServer/Watch",
      (value: Buffer) => value,
      (value: Buffer) => value,
      Buffer.alloc(0),
    );
    const finish = (result: StreamResult) => {
      clearTimeout(timer);
      resolve(result);
      call.cancel();
      client.close();
    };
    const timer = setTimeout(() => {
      finish({ messages });
    }, args.forMs);
    call.on("data", () => messages++);
    call.on("error", (error: grpc.ServiceError) => {
      finish({ messages, endedAt: Date.now(), how: `${String(error.code)} ${error.details}` });
    });
    call.on("end", () => {
      finish({ messages, endedAt: Date.now(), how: "ended" });
    });
  });
}

/** A WebSocket through which a text goes every 100 ms and comes back, open for `forMs` or until it is ended. */
export function holdWebsocket(args: { host: string; port: number; forMs: number }): Promise<StreamResult> {
  return new Promise((resolve) => {
    let messages = 0;
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.from("0123456789abcdef").toString("base64"),
    };
    const outgoing = http.get({ host: args.host, port: args.port, path: "/", headers });
    outgoing.on("upgrade", (_response, socket) => {
      const ticking = setInterval(() => socket.write("tick"), 100);
      const finish = (result: StreamResult) => {
        clearInterval(ticking);
        clearTimeout(timer);
        resolve(result);
        socket.destroy();
      };
      const timer = setTimeout(() => {
        finish({ messages });
      }, args.forMs);
      socket.on("data", () => messages++);
      socket.on("error", (error: Error) => {
        finish({ messages, endedAt: Date.now(), how: error.message });
      });
      socket.on("close", () => {
        finish({ messages, endedAt: Date.now(), how: "closed" });
      });
    });
    outgoing.on("error", (error: Error) => {
      resolve({ messages, endedAt: Date.now(), how: error.message });
    });
  });
}
