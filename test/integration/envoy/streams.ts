/** Clients that stream: each sends a message, awaits its echo, and only then sends the next, so that both directions must flow at once. */
import * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import * as grpc from "@grpc/grpc-js";
import { collect, flat, TIMEOUT_MS } from "./answer";
import { STREAMING_METHODS } from "./stream-methods";

/** How often something is said, with which pause between. */
export interface Rounds {
  readonly rounds: number;
  readonly everyMs?: number;
}

/** What came of a conversation. */
export interface Conversation {
  /** Messages that came back. */
  readonly rounds: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly trailers?: Readonly<Record<string, string>>;
  /** What came after the last round. */
  readonly rest?: string;
  /** What ended it too early. */
  readonly refused?: string;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A stream of HTTP/2 (prior knowledge, as gRPC does it). */
export function talkHttp2(args: Rounds & { host: string; port: number; path?: string }): Promise<Conversation> {
  const session = http2.connect(`http://${args.host}:${String(args.port)}`);
  const stream = session.request({ ":method": "POST", ":path": args.path ?? "/" });
  return new Promise((resolve) => {
    let said = 0;
    let heard = "";
    let headers: Readonly<Record<string, string>> = {};
    let trailers: Readonly<Record<string, string>> = {};
    const finish = (refused?: string) => {
      const status = Number(headers[":status"]);
      const rounds = heard.split(";").length - 1;
      resolve({ rounds, status, headers, trailers, ...(refused ? { refused } : {}) });
      session.destroy();
    };
    const say = () => stream.write(`${String(said++)};`);
    stream.on("response", (incoming) => {
      headers = flat(incoming);
    });
    stream.on("trailers", (incoming) => {
      trailers = flat(incoming as http2.IncomingHttpHeaders);
    });
    stream.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
      if (!heard.endsWith(`${String(said - 1)};`)) {
        return;
      }
      if (said < args.rounds) {
        setTimeout(say, args.everyMs ?? 0);
      } else {
        stream.end();
      }
    });
    stream.on("end", () => {
      finish(said < args.rounds ? "the stream ended" : undefined);
    });
    stream.on("error", (error: Error) => {
      finish(error.message);
    });
    session.on("error", (error: Error) => {
      finish(error.message);
    });
    say();
  });
}

/** One streaming call of gRPC; `rounds` is what came back (for `Up`: what the callee counted). */
export async function talkGrpc(
  args: Rounds & { target: string; method: "Up" | "Down" | "Both" },
): Promise<{ rounds: number; code?: number; details?: string }> {
  const client = new grpc.Client(args.target, grpc.credentials.createInsecure());
  const { rounds, everyMs = 0 } = args;
  const method = STREAMING_METHODS[args.method];
  const deadline = { deadline: Date.now() + rounds * everyMs + TIMEOUT_MS };
  let heard = 0;
  const failure = await new Promise<grpc.ServiceError | undefined>((resolve) => {
    const fail = (error: Error) => {
      resolve(error as grpc.ServiceError);
    };
    if (args.method === "Up") {
      const call = client.makeClientStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        deadline,
        (error, answer?: Buffer) => {
          heard = Number(answer?.toString() ?? 0);
          resolve(error ?? undefined);
        },
      );
      void (async () => {
        for (let said = 0; said < rounds; said++) {
          call.write(Buffer.from(String(said)));
          await pause(everyMs);
        }
        call.end();
      })();
    } else if (args.method === "Down") {
      const request = Buffer.from(JSON.stringify({ count: rounds, everyMs }));
      const { path, requestSerialize, responseDeserialize } = method;
      const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, deadline);
      call.on("data", () => heard++);
      call.on("error", fail);
      call.on("end", () => {
        resolve(undefined);
      });
    } else {
      const { path, requestSerialize, responseDeserialize } = method;
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, deadline);
      const say = () => call.write(Buffer.from(String(heard)));
      call.on("data", () => {
        heard++;
        if (heard < rounds) {
          setTimeout(say, everyMs);
        } else {
          call.end();
        }
      });
      call.on("error", fail);
      call.on("end", () => {
        resolve(undefined);
      });
      say();
    }
  });
  client.close();
  return failure === undefined ? { rounds: heard } : { rounds: heard, code: failure.code, details: failure.details };
}

/** A WebSocket whose peer sends back what it gets. */
export function talkWebsocket(args: Rounds & { host: string; port: number; path?: string }): Promise<Conversation> {
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": Buffer.from("0123456789abcdef").toString("base64"),
  };
  const { host, port, path = "/", rounds, everyMs } = args;
  return new Promise((resolve) => {
    const outgoing = http.get({ host, port, path, headers });
    outgoing.on("upgrade", (response, socket) => {
      void talk(socket, { rounds, everyMs }).then((talked) => {
        socket.destroy();
        resolve({ ...talked, status: response.statusCode });
      });
    });
    outgoing.on("response", (response) => {
      resolve({ rounds: 0, status: response.statusCode });
      outgoing.destroy();
    });
    outgoing.on("error", (error: Error) => {
      resolve({ rounds: 0, refused: error.message });
    });
  });
}

/** A TCP connection: awaits a banner where there is one, talks, ends its own half and reads on to the end. */
export function talkTcp(args: Rounds & { host: string; port: number; banner?: string }): Promise<Conversation> {
  const { host, port, banner = "", rounds, everyMs } = args;
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, allowHalfOpen: true });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("silence")));
    socket.on("error", (error: Error) => {
      resolve({ rounds: 0, refused: error.message });
    });
    const begin = async (): Promise<void> => {
      const talked = await talk(socket, { rounds, everyMs });
      if (talked.refused === undefined) {
        collect(socket, (rest) => {
          socket.destroy();
          resolve({ ...talked, rest });
        });
        socket.end();
      } else {
        socket.destroy();
        resolve(talked);
      }
    };
    if (banner === "") {
      socket.once("connect", () => void begin());
      return;
    }
    const early = () => {
      resolve({ rounds: 0, refused: "closed before a word was said" });
    };
    socket.once("end", early);
    socket.once("data", (chunk: Buffer) => {
      socket.off("end", early);
      if (chunk.toString() === banner) {
        void begin();
      } else {
        socket.destroy();
        resolve({ rounds: 0, refused: `it said ${chunk.toString()}` });
      }
    });
  });
}

function talk(socket: NodeJS.ReadWriteStream, { rounds, everyMs = 0 }: Rounds): Promise<Conversation> {
  return new Promise((resolve) => {
    let said = 0;
    let heard = 0;
    let awaited = "";
    const settle = (refused?: string) => {
      socket.off("data", hear);
      resolve({ rounds: heard, ...(refused === undefined ? {} : { refused }) });
    };
    const say = () => {
      awaited = `word ${String(said++)}\n`;
      socket.write(awaited);
    };
    let text = "";
    function hear(chunk: Buffer): void {
      text += chunk.toString();
      if (text !== awaited) {
        return;
      }
      text = "";
      heard++;
      if (said < rounds) {
        setTimeout(say, everyMs);
      } else {
        settle();
      }
    }
    socket.on("data", hear);
    socket.once("end", () => {
      settle("closed");
    });
    socket.once("error", (error: Error) => {
      settle(error.message);
    });
    say();
  });
}
