import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { OFFERED } from "../../../components/discovery/consul/forward";
import { offeringConsul } from "../../../dev/consul-forward";

const env = { PATH: "/bin" };

async function listener(port = 0): Promise<Server> {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function freePort(): Promise<number> {
  const server = await listener();
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const opened = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return opened;
}

describe("Consul, offered to Pulumi", function () {
  this.timeout(10_000);

  it("is offered as long as Pulumi runs, and the program is told where", async () => {
    const consulPort = await freePort();
    const told = await offeringConsul({ env, consulPort }, async (given) => {
      assert.ok(await isOpen(consulPort));
      return given;
    });
    assert.deepEqual(told, { ...env, [OFFERED]: `127.0.0.1:${String(consulPort)}` });
    assert.equal(await isOpen(consulPort), false);
  });

  it("is no longer offered where Pulumi could not be run", async () => {
    const consulPort = await freePort();
    await assert.rejects(
      offeringConsul({ env, consulPort }, () => Promise.reject(new Error("no pulumi"))),
      /no pulumi/,
    );
    assert.equal(await isOpen(consulPort), false);
  });

  it("waits until another Pulumi gives the port back", async () => {
    const consulPort = await freePort();
    const other = await listener(consulPort);
    const started = Date.now();
    const running = offeringConsul({ env, consulPort }, (given) => Promise.resolve(given));
    await delay(700);
    other.close();
    assert.equal((await running)[OFFERED], `127.0.0.1:${String(consulPort)}`);
    assert.ok(Date.now() - started >= 700);
  });

  it("is not offered where the stack has no Consul of the embedded cluster", async () => {
    assert.equal(await offeringConsul({ env }, (given) => Promise.resolve(given)), env);
  });
});
