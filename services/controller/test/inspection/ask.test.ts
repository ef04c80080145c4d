import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { asker } from "../../src/inspection/ask.js";

describe("controller: questions through a forward proxy", () => {
  let server: Server;
  let proxy: URL;
  let asked: { url: string | undefined; host: string | undefined; method: string | undefined }[];
  let answer: { status: number; body: string; date?: string };
  const { ask, close } = asker();
  const signal = new AbortController().signal;

  before(async () => {
    server = createServer(({ url, headers, method }, response) => {
      asked.push({ url, host: headers.host, method });
      response.sendDate = false;
      response.writeHead(answer.status, answer.date === undefined ? {} : { date: answer.date });
      response.end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    proxy = new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  });
  after(() => {
    close();
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    asked = [];
    answer = { status: 200, body: "well", date: "Mon, 01 Jun 2026 12:00:00 GMT" };
  });

  it("say the whole address, and take the date as it is said", async () => {
    const before = Date.now();
    const given = await ask(proxy, "10.244.0.7", "/stats?filter=_manager.", signal);
    assert.deepEqual(asked, [
      { url: "http://10.244.0.7:15090/stats?filter=_manager.", host: "10.244.0.7:15090", method: "GET" },
    ]);
    assert.equal(given.body, "well");
    assert.equal(given.date, Date.parse("2026-06-01T12:00:00Z"));
    assert.ok(before <= given.asked && given.asked <= given.answered && given.answered <= Date.now());
  });

  it("say no clock is apart where no date is said", async () => {
    answer = { status: 200, body: "" };
    const given = await ask(proxy, "10.244.0.7", "/certs", signal);
    assert.equal(given.date, given.answered);
  });

  it("fail where the answer is no answer, too long, or not waited for", async () => {
    answer = { status: 503, body: "upstream connect error" };
    await assert.rejects(ask(proxy, "10.244.0.7", "/certs", signal), /answers 503/);
    answer = { status: 200, body: "x".repeat(2 ** 20 + 1) };
    await assert.rejects(ask(proxy, "10.244.0.7", "/certs", signal), /more than 1048576 bytes/);
    await assert.rejects(ask(proxy, "10.244.0.7", "/certs", AbortSignal.abort()), /abort/i);
    await assert.rejects(ask(new URL("http://127.0.0.1:1"), "10.244.0.7", "/certs", signal), /ECONNREFUSED/);
  });
});
