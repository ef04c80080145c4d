/** The bundled program itself, against TCP servers on loopback. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const LOOPBACK = "127.0.0.1";

interface Ended {
  readonly status: number | null;
  readonly lines: Record<string, unknown>[];
}

async function listen(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LOOPBACK, resolve);
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return { server, port: address.port };
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const { server, port } = await listen();
  await close(server);
  return port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) =>
    server.close(() => {
      resolve();
    }),
  );
}

function gate(env: Record<string, string>): { ended: Promise<Ended>; kill: () => void } {
  const child = spawn(process.execPath, ["dist/main.cjs"], { cwd: PACKAGE, env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      const lines = output.split("\n").filter((line) => line !== "");
      resolve({ status, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) });
    });
  });
  return { ended, kill: () => child.kill("SIGTERM") };
}

function settings(openPort: number, canaryPort: number, timeoutSeconds = 60): Record<string, string> {
  return {
    GATE_ADDRESS: LOOPBACK,
    GATE_OPEN_PORT: String(openPort),
    GATE_CANARY_PORT: String(canaryPort),
    GATE_TIMEOUT_SECONDS: String(timeoutSeconds),
  };
}

describe("start gate: the program", function () {
  this.timeout(20_000);

  before(() => {
    execFileSync("npm", ["run", "--silent", "build"], { cwd: PACKAGE, stdio: "inherit" });
  });

  it("passes where the canary is refused and the target answers", async () => {
    const open = await listen();
    try {
      const { status, lines } = await gate(settings(open.port, await freePort())).ended;
      assert.equal(status, 0);
      assert.equal(lines.length, 1);
      assert.equal(lines[0]?.level, "info");
      assert.equal(typeof lines[0].waitedMilliseconds, "number");
    } finally {
      await close(open.server);
    }
  });

  it("holds while the canary is open, and passes when it closes", async () => {
    const open = await listen();
    const canary = await listen();
    const run = gate(settings(open.port, canary.port));
    let done = false;
    void run.ended.then(() => (done = true));
    await new Promise((resolve) => canary.server.once("connection", resolve));
    await sleep(1_000);
    assert.equal(done, false, "must not pass while the canary connects");
    await close(canary.server);
    try {
      const { status, lines } = await run.ended;
      assert.equal(status, 0);
      assert.ok(Number(lines[0]?.canaryOpenRounds) >= 5);
    } finally {
      await close(open.server);
    }
  });

  it("fails in time where the canary stays open", async () => {
    const open = await listen();
    const canary = await listen();
    try {
      const { status, lines } = await gate(settings(open.port, canary.port, 1)).ended;
      assert.equal(status, 1);
      assert.equal(lines.length, 1);
      assert.match(String(lines[0]?.reason), /canary port is still reachable/);
    } finally {
      await Promise.all([close(open.server), close(canary.server)]);
    }
  });

  it("fails where the target is dead, however dead the canary looks", async () => {
    const { status, lines } = await gate(settings(await freePort(), await freePort(), 1)).ended;
    assert.equal(status, 1);
    assert.match(String(lines[0]?.reason), /open port does not answer/);
  });

  it("waits for a target that comes up later", async () => {
    const port = await freePort();
    const run = gate(settings(port, await freePort()));
    await sleep(700);
    const open = await listen(port);
    try {
      const { status, lines } = await run.ended;
      assert.equal(status, 0);
      assert.ok(Number(lines[0]?.targetSilentRounds) >= 1);
    } finally {
      await close(open.server);
    }
  });

  it("says what is wrong with its settings, all at once", async () => {
    const { status, lines } = await gate({ GATE_ADDRESS: "resolver", GATE_OPEN_PORT: "53" }).ended;
    assert.equal(status, 2);
    assert.match(String(lines[0]?.reason), /GATE_ADDRESS: .*GATE_CANARY_PORT: /);
  });

  it("ends on SIGTERM at once", async () => {
    const canary = await listen();
    const run = gate(settings(await freePort(), canary.port));
    await new Promise((resolve) => canary.server.once("connection", resolve));
    run.kill();
    const { status } = await run.ended;
    assert.equal(status, 143);
    await close(canary.server);
  });
});
