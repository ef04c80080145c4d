import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Pki } from "../../../dev/cluster/pki.js";
import { ConsulApi } from "../src/consul/api.js";
import { testFolder } from "./support/folder.js";

/** What Consul 1.21 says after a restart of all its servers. */
const NOT_NOW =
  "Raft error when taking snapshot: cannot take snapshot now, wait until the configuration entry at 136 has been applied (have applied 135)";

/** A played Consul, which says in turn what it is told to. */
describe("a snapshot asked of Consul", () => {
  const folder = testFolder();
  let server: Server;
  let answers: (readonly [status: number, body: string])[];
  let api: ConsulApi;

  beforeEach(async () => {
    const pki = new Pki(join(folder.path, "pki"));
    const authority = await pki.authority("consul");
    const { certificate, key } = await pki.leaf("consul", "server", {
      commonName: "server",
      dns: ["server.lucid"],
      usages: ["server"],
    });
    server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_request, response) => {
      const [status, body] = answers.shift() ?? [200, "state"];
      response.writeHead(status).end(body);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    api = new ConsulApi({
      address: new URL(`https://127.0.0.1:${String(port)}`),
      caFile: authority.certificate,
      serverName: "server.lucid",
      tokenFile: join(folder.path, "token"),
    });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("is asked for again while Consul can't take one yet", async () => {
    answers = [
      [500, NOT_NOW],
      [500, NOT_NOW],
    ];
    const file = join(folder.path, "taken");
    await api.save(file, "token");
    assert.equal(readFileSync(file, "utf8"), "state");
    assert.deepEqual(answers, []);
  });

  it("is refused at once for any other reason, and no file is left", async () => {
    for (const [status, body] of [
      [500, "open /tmp/snapshot1: read-only file system"],
      [403, "Permission denied"],
    ] as const) {
      answers = [[status, body]];
      const file = join(folder.path, "refused");
      await assert.rejects(api.save(file, "token"), new RegExp(`answered ${String(status)}.*${body}`));
      assert.ok(!existsSync(file));
      assert.deepEqual(answers, []);
    }
  });
});
