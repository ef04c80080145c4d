import assert from "node:assert/strict";
import { podOf, podsOf } from "../support/cluster";
import { replaceLeaf, servedCertificate, writeLeaf } from "../support/certificates";
import { mesh, service } from "../support/document";
import { eventually } from "../support/eventually";
import { credentialsOf } from "../support/handshake";
import { describeLoad, startLoad } from "../support/load";

const RATE = 200;
const LIFE_MINUTES = 10;
/** What kubelet takes at most by its defaults to bring a changed Secret to a pod, and a margin. */
const SYNC_SECONDS = 150;

describe("every leaf certificate replaced under load", function () {
  this.timeout(600_000);
  const originals = new Map<string, Awaited<ReturnType<typeof credentialsOf>>>();

  before(async () => {
    for (const each of mesh.services) originals.set(each.name, await credentialsOf(each));
  });
  after(async () => {
    for (const each of mesh.services) {
      const original = originals.get(each.name);
      if (original !== undefined) await writeLeaf(each, original);
    }
  });

  it("fails no request, restarts no pod, and every sidecar serves its new one", async () => {
    const callee = "http://lucid-blocks.lucid.internal/";
    const [admin, router] = [service("admin-ui"), service("payout-router")];
    const before = await Promise.all(mesh.services.map((each) => podOf(each)));
    const loads = [
      { title: "admin-ui -> lucid-blocks, kept alive", load: await startLoad(admin, { url: callee, rate: RATE }) },
      {
        title: "payout-router -> lucid-blocks, kept alive",
        load: await startLoad(router, { url: callee, rate: RATE }),
      },
      {
        title: "admin-ui -> lucid-blocks, a connection each",
        load: await startLoad(admin, { url: callee, rate: RATE, fresh: true }),
      },
    ];
    try {
      const replaced = await Promise.all(
        mesh.services.map(async (each) => ({ each, serial: await replaceLeaf(each, LIFE_MINUTES) })),
      );
      for (const { each, serial } of replaced) {
        const pod = await podOf(each);
        await eventually(
          `the new certificate of ${each.name}`,
          async () => {
            assert.equal((await servedCertificate(pod)).serialNumber.toLowerCase(), serial);
          },
          SYNC_SECONDS,
        );
      }
    } finally {
      for (const { title, load } of loads) {
        const result = await load.stop();
        console.log(`      ${describeLoad(title, result)}`);
        assert.equal(result.failed, 0, title);
        assert.ok(result.requests > RATE * 0.9 * result.seconds, `${title} reached its rate`);
      }
    }
    const after = (await Promise.all(mesh.services.map((each) => podsOf(each)))).flat();
    assert.deepEqual(after.map(({ name }) => name).sort(), before.map(({ name }) => name).sort());
  });
});
