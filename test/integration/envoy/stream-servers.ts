/** Applications that stream: HTTP/2 and gRPC, both ways. */
import * as http2 from "node:http2";
import * as grpc from "@grpc/grpc-js";
import { bindGrpc } from "./bind-grpc";
import { delayOf } from "./faults";
import { grpcMethod, STREAMING_METHODS } from "./stream-methods";

/** An HTTP/2 application (prior knowledge) that sends back what comes while it comes, and how much it was as a trailer. */
export async function serveHttp2(args: { port: number }): Promise<void> {
  const server = http2.createServer();
  server.on("stream", (stream, headers) => {
    let bytes = 0;
    stream.respond(
      { ":status": 200, "x-caller": String(headers["x-forwarded-client-cert"] ?? "") },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => {
      stream.sendTrailers({ "x-bytes": String(bytes) });
    });
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      stream.write(chunk);
    });
    stream.on("end", () => stream.end());
    stream.on("error", () => {
      stream.destroy();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(args.port, "127.0.0.1", resolve);
  });
}

const up: grpc.handleClientStreamingCall<Buffer, Buffer> = (call, callback) => {
  let count = 0;
  call.on("data", () => count++);
  call.on("end", () => {
    callback(null, Buffer.from(String(count)));
  });
};

const down: grpc.handleServerStreamingCall<Buffer, Buffer> = (call) => {
  const { count, everyMs } = JSON.parse(call.request.toString()) as { count: number; everyMs: number };
  let sent = 0;
  const timer = setInterval(() => {
    call.write(Buffer.from(String(sent++)));
    if (sent >= count) {
      clearInterval(timer);
      call.end();
    }
  }, everyMs);
  call.on("cancelled", () => {
    clearInterval(timer);
  });
};

const both: grpc.handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  call.on("data", (message: Buffer) => call.write(message));
  call.on("end", () => {
    call.end();
  });
};

/** A gRPC application: `Ping` and `Secret` answer with the caller's identity as it was forwarded, or with "" where there was none; and the three streamings. */
export async function serveGrpc(args: { port: number }): Promise<void> {
  const server = new grpc.Server();
  const answer: grpc.handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    setTimeout(() => {
      callback(null, Buffer.from(call.metadata.get("x-forwarded-client-cert").join(",")));
    }, delayOf(args.port));
  };
  // One message every 100 ms, for as long as the caller listens.
  const watch: grpc.handleServerStreamingCall<Buffer, Buffer> = (call) => {
    const ticking = setInterval(() => call.write(Buffer.from("tick")), 100);
    call.on("cancelled", () => {
      clearInterval(ticking);
    });
  };
  server.addService(
    {
      Ping: grpcMethod("Ping"),
      Secret: grpcMethod("Secret"),
      Watch: { ...grpcMethod("Watch"), responseStream: true },
      ...STREAMING_METHODS,
    },
    { Ping: answer, Secret: answer, Watch: watch, Up: up, Down: down, Both: both },
  );
  await bindGrpc(server, args.port);
}
