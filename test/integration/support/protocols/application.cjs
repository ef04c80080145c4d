// An application that speaks every protocol a port can have, as server and, told to by POST /call, as client. It runs on Node alone, from its text.
const { Buffer } = require("node:buffer");
const crypto = require("node:crypto");
const http = require("node:http");
const http2 = require("node:http2");
const net = require("node:net");
const { setImmediate, setTimeout } = require("node:timers");

const LOOPBACK = "127.0.0.1";
const PORTS = { http: 8080, http2: 8081, websocket: 8082, tcp: 8083, grpc: 8084 };
const BANNER = "hello, who calls?\n";

// ---- server

const callerOf = (headers) => /URI=([^;,]+)/.exec(headers["x-forwarded-client-cert"] ?? "")?.[1] ?? "nobody";

async function bodyOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

http
  .createServer(async (request, response) => {
    const body = await bodyOf(request);
    if (request.url === "/call") {
      const { protocol, host, port, path } = JSON.parse(body);
      const result = await CLIENTS[protocol](host, port, path).catch((error) => ({ error: error.message }));
      response.end(JSON.stringify(result));
    } else {
      response.setHeader("x-caller", callerOf(request.headers));
      response.end(body);
    }
  })
  .listen(PORTS.http, LOOPBACK);

// Each chunk goes back as it comes: what is sent after an answer was seen shows that both directions are open.
http2
  .createServer()
  .on("stream", (stream, headers) => {
    stream.respond({ ":status": 200, "x-caller": callerOf(headers) }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": "of the stream" }));
    stream.pipe(stream);
  })
  .listen(PORTS.http2, LOOPBACK);

const GRPC = {
  "/echo.Echo/Unary": (call) => call.each((message) => call.send(message)),
  "/echo.Echo/ServerStream": (call) => call.each((message) => [1, 2, 3].forEach((n) => call.send(`${message}${n}`))),
  "/echo.Echo/ClientStream": (call) => {
    const seen = [];
    call.each((message) => seen.push(message));
    call.beforeEnd = () => call.send(seen.join(""));
  },
  "/echo.Echo/Bidirectional": (call) => call.each((message) => call.send(message)),
};

http2
  .createServer()
  .on("stream", (stream, headers) => {
    const call = {
      each: (handle) => readMessages(stream, handle),
      send: (text) => stream.write(frame(text)),
      beforeEnd: () => undefined,
    };
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "x-caller": callerOf(headers) },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const method = GRPC[headers[":path"]];
    if (method === undefined) stream.end();
    else method(call);
    stream.on("end", () => {
      call.beforeEnd();
      stream.end();
    });
  })
  .listen(PORTS.grpc, LOOPBACK);

// gRPC's framing (PROTOCOL-HTTP2): a byte that says "not compressed", four of length, the message.
function frame(text) {
  const message = Buffer.from(text);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function readMessages(stream, handle) {
  let rest = Buffer.alloc(0);
  stream.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      handle(rest.subarray(5, end).toString());
      rest = rest.subarray(end);
    }
  });
}

const ACCEPT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, section 1.3

http
  .createServer()
  .on("upgrade", (request, socket) => {
    const accept = crypto
      .createHash("sha1")
      .update(request.headers["sec-websocket-key"] + ACCEPT)
      .digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nX-Caller: ${callerOf(request.headers)}\r\n\r\n`,
    );
    socket.on("data", (data) => socket.write(textFrame(unmasked(data))));
    socket.on("error", () => socket.destroy());
  })
  .listen(PORTS.websocket, LOOPBACK);

// One short text frame each way is all that is needed (RFC 6455, section 5.2).
const textFrame = (text) => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
function unmasked(data) {
  const mask = data.subarray(2, 6);
  return data
    .subarray(6, 6 + (data[1] & 0x7f))
    .map((byte, index) => byte ^ mask[index % 4])
    .toString();
}

net
  .createServer({ allowHalfOpen: true }, (socket) => {
    socket.write(BANNER);
    socket.on("data", (data) => socket.write(data));
    socket.on("end", () => socket.end("bye\n"));
    socket.on("error", () => socket.destroy());
  })
  .listen(PORTS.tcp, LOOPBACK);

// ---- client

const within = (what, promise) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`${what}: nothing within 10 s`)), 10_000).unref()),
  ]);

/** One HTTP/1.1 exchange on a connection of its own; an answer that switched protocols has the socket as `upgraded`. */
function overHttp1(options, body) {
  return within(
    "the answer",
    new Promise((resolve, reject) => {
      const request = http.request({ ...options, agent: false }, resolve);
      request.on("upgrade", (response, socket) => resolve(Object.assign(response, { upgraded: socket })));
      request.on("error", reject);
      request.end(body);
    }),
  );
}

async function overHttp2(host, port, headers, talk) {
  const session = http2.connect(`http://${host}:${port}`);
  const failed = new Promise((_, reject) => session.on("error", reject));
  try {
    const stream = session.request({ ":method": "POST", ...headers });
    stream.on("error", () => undefined);
    const answered = new Promise((resolve) => stream.on("response", resolve));
    const trailed = new Promise((resolve) => stream.on("trailers", resolve));
    return await within("the stream", Promise.race([failed, talk(stream, answered, trailed)]));
  } finally {
    session.destroy();
  }
}

async function grpc(host, port, method, messages) {
  const headers = { ":path": `/echo.Echo/${method}`, "content-type": "application/grpc", te: "trailers" };
  return overHttp2(host, port, headers, async (stream, answered, trailed) => {
    const received = [];
    readMessages(stream, (message) => received.push(message));
    for (const message of messages) stream.write(frame(message));
    if (method === "Bidirectional") {
      // Open until an answer came: a half that only answers at the end would wait for ever.
      while (received.length < messages.length)
        await new Promise((resolve) => stream.once("data", () => setImmediate(resolve)));
    }
    stream.end();
    const head = await answered;
    if (head[":status"] !== 200 || head["grpc-status"] !== undefined)
      return { status: head[":status"], grpcStatus: head["grpc-status"] };
    const trailers = await trailed;
    return { status: 200, grpcStatus: trailers["grpc-status"], received, caller: head["x-caller"] };
  });
}

const CLIENTS = {
  http: async (host, port, path) => {
    const response = await overHttp1({ host, port, path, method: "POST" }, "said");
    return {
      status: response.statusCode,
      caller: response.headers["x-caller"],
      body: (await bodyOf(response)).toString(),
    };
  },
  http2: (host, port, path = "/") =>
    overHttp2(host, port, { ":path": path }, async (stream, answered, trailed) => {
      stream.write("one");
      const head = await answered;
      if (head[":status"] !== 200) return { status: head[":status"] };
      const echoes = [];
      for (const next of ["two", undefined]) {
        echoes.push(await new Promise((resolve) => stream.once("data", (data) => resolve(data.toString()))));
        if (next !== undefined) stream.write(next);
      }
      stream.end();
      stream.resume();
      return { status: 200, echoes, caller: head["x-caller"], trailer: (await trailed)["x-end"] };
    }),
  grpc: async (host, port, method) =>
    grpc(host, port, method, method === "ServerStream" || method === "Unary" ? ["a"] : ["a", "b"]),
  websocket: async (host, port, path) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": crypto.randomBytes(16).toString("base64"),
    };
    const response = await overHttp1({ host, port, path, headers });
    if (response.upgraded === undefined) return { status: response.statusCode };
    const text = Buffer.from("through");
    const mask = crypto.randomBytes(4);
    response.upgraded.write(
      Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), mask, text.map((byte, index) => byte ^ mask[index % 4])]),
    );
    const echo = await within("the echo", new Promise((resolve) => response.upgraded.once("data", resolve)));
    response.upgraded.destroy();
    return { status: response.statusCode, caller: response.headers["x-caller"], echo: echo.subarray(2).toString() };
  },
  tcp: async (host, port) => {
    const socket = net.connect({ host, port, allowHalfOpen: true });
    const closed = new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.on("close", resolve);
    });
    let seen = "";
    socket.on("data", (data) => {
      if (seen === "") socket.end("said\n");
      seen += data;
    });
    await within("the end of the connection", closed);
    return { seen };
  },
};
