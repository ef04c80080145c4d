import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { attempt } from "../src/connect.js";

const LOOPBACK = "127.0.0.1";

describe("start gate: one attempt", () => {
  it("takes silence for a refusal, after the time-out and not much later", async () => {
    // A stopped process with a full accept queue: the kernel drops further SYNs, as a packet filter that drops would.
    const listener = spawn(
      process.execPath,
      ["-e", `const s = net.createServer(); s.listen(0, "${LOOPBACK}", 1, () => console.log(s.address().port))`],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const sockets: Socket[] = [];
    try {
      const [line] = (await once(listener.stdout, "data")) as [Buffer];
      const port = Number(line.toString());
      listener.kill("SIGSTOP");
      for (let index = 0; index < 8; index += 1) {
        sockets.push(connect(port, LOOPBACK).on("error", () => undefined));
      }
      const filled = await attempt(LOOPBACK, port, 200);
      const start = performance.now();
      assert.deepEqual(
        await attempt(LOOPBACK, port, 300),
        { connected: false, code: "TIMEOUT" },
        JSON.stringify(filled),
      );
      const took = performance.now() - start;
      assert.ok(took >= 290 && took < 2_000, `${String(took)} ms`);
    } finally {
      for (const socket of sockets) {
        socket.destroy();
      }
      listener.kill("SIGKILL");
    }
  });

  it("names the refusal", async () => {
    // Port 1 of loopback: nothing listens on tcpmux.
    assert.deepEqual(await attempt(LOOPBACK, 1, 300), { connected: false, code: "ECONNREFUSED" });
  });
});
