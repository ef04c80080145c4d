/** Replicas that are killed at random while pods come and go. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually";
import { BACKENDS, type Backend } from "./backends";
import { ControllerLab, LEASE_SECONDS } from "./lab";
import type { Replica } from "./replica";

const KILLS = 20;

/** Every other time the one that leads, once it does; else either, whatever it is about to do. */
async function chosen(replicas: readonly Replica[], count: number): Promise<number> {
  if (count % 2 === 1) {
    await sleep(Math.random() * 1_500);
    return Math.random() < 0.5 ? 0 : 1;
  }
  return eventually("a leader", async () => {
    const states = await Promise.all(replicas.map((replica) => replica.status()));
    const leader = states.findIndex(({ leading }) => leading);
    assert.notEqual(leader, -1);
    return leader;
  });
}

describe("a controller whose replicas are killed twenty times", function () {
  this.timeout(600_000);
  let backend: Backend;
  let lab: ControllerLab;

  before(async () => {
    backend = await (BACKENDS.Consul as () => Promise<Backend>)();
    lab = await ControllerLab.start(backend);
  });
  after(async () => {
    await lab.stop();
    await backend.stop();
  });

  it("ends with what runs registered and nothing else, and loses nobody on the way", async () => {
    const replicas: Replica[] = [await lab.replica(), await lab.replica()];
    await lab.pod("admin-ui-steady", "10.244.1.1");
    await eventually("the first registration", async () => {
      assert.ok((await backend.instances()).has("admin-ui-steady"));
    });
    const expected = new Map([["admin-ui-steady", "10.244.1.1"]]);
    const first = (await backend.instances()).get("admin-ui-steady");
    let lost = 0;
    let looks = 0;
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) {
        looks += 1;
        if (!(await backend.instances()).has("admin-ui-steady")) lost += 1;
        await sleep(50);
      }
    })();
    for (let count = 0; count < KILLS; count += 1) {
      const name = `admin-ui-${count}`;
      const address = `10.244.2.${count}`;
      const changes = lab.pod(name, address).then(async () => {
        expected.set(name, address);
        const [oldest] = [...expected.keys()].filter((pod) => pod !== "admin-ui-steady");
        if (expected.size > 5 && oldest !== undefined) {
          await lab.removePod(oldest);
          expected.delete(oldest);
        }
      });
      const victim = await chosen(replicas, count);
      // Now and then as kubelet does it, most often without a word.
      await replicas[victim]?.end(Math.random() < 0.25 ? "SIGTERM" : "SIGKILL");
      replicas[victim] = await lab.replica();
      await changes;
    }
    await eventually(
      "the registrations",
      async () => {
        const found = [...(await backend.instances())].map(([pod, { address }]) => [pod, address] as const);
        assert.deepEqual(new Map(found.sort()), new Map([...expected].sort()));
      },
      LEASE_SECONDS + 30,
    );
    watching.abort();
    await watch;
    assert.equal(lost, 0, `of ${looks} looks`);
    assert.deepEqual((await backend.instances()).get("admin-ui-steady"), first, "it was never written again");
    await eventually("the status", async () => {
      const { status } = await lab.meshService("lucid-ops", "admin-ui");
      const { size } = expected;
      assert.deepEqual(status?.instances, { present: size, ready: size, registered: size });
    });
    const states = await Promise.all(replicas.map((replica) => replica.status()));
    assert.equal(states.filter(({ leading }) => leading).length, 1);
    console.log(
      `        ${looks} looks while ${KILLS} were killed, ${(await lab.lease()).transitions} changes of leader`,
    );
  });
});
