/** The tries at the network, at servers on loopback. Those at a sidecar are made at a real one (test/integration/envoy/canary.test.ts). */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { KNOCK } from "../../src/canary/knock.js";
import type { CanaryPod } from "../../src/canary/model.js";

const ADDRESS = "127.77.16.1";
const POD: CanaryPod = {
  zone: "ops",
  namespace: "lucid-ops",
  service: "admin-ui",
  name: "admin-ui-a",
  uid: "1",
  address: ADDRESS,
  node: "node-1",
  isOpen: true,
};

async function tried(pod: CanaryPod, ...ports: readonly number[]): Promise<string> {
  const servers: Server[] = [];
  for (const port of ports) {
    const server = createServer((socket) => socket.on("error", () => undefined));
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, ADDRESS, resolve);
    });
  }
  const { outcome, detail } = await KNOCK.network(pod);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return `${outcome} ${detail}`.trim();
}

describe("the live canary's tries at the network", () => {
  it("find a pod that refuses the one port and answers at the other", async () => {
    assert.equal(await tried(POD, 15090), "enforced");
  });

  it("are let in, whatever answers beside", async () => {
    assert.match(await tried(POD, 15021, 15090), /^let-in port 15021/);
    assert.match(await tried(POD, 15021), /^let-in port 15021/);
  });

  it("are blind where nothing answers", async () => {
    assert.match(await tried(POD), /^blind port 15090, .* does not answer \(ECONNREFUSED\)/);
  });

  it("ask of a pod that lets nobody in for no answer", async () => {
    assert.equal(await tried({ ...POD, isOpen: false }), "enforced");
    assert.match(await tried({ ...POD, isOpen: false }, 15021), /^let-in/);
  });

  it("try the own way out at the node resolver, as the start gate does", async () => {
    const own = { ...POD, address: "127.77.16.2", wayOut: ADDRESS };
    assert.equal(await tried(own, 53), "enforced");
    assert.match(await tried(own, 53, 8181), /^let-in it comes to port 8181 of the node resolver/);
    assert.match(await tried(own), /^blind port 53 of its node's resolver/);
  });
});
