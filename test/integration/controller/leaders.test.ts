/** Replicas of the controller, a real API server that grants them what the plan says, and a real discovery backend. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually";
import { BACKENDS, type Backend, type Registered } from "./backends";
import { ControllerLab, LEASE_SECONDS } from "./lab";
import type { Replica } from "./replica";

/** Seconds for what a leader that is there already does. */
const SOON = 15;
/** Seconds in which another leads after the leader is gone without a word, and has compared: its lease, a look, the comparison. */
const TAKEOVER = LEASE_SECONDS + SOON;

for (const [title, start] of Object.entries(BACKENDS)) {
  describe(`replicas of the controller, with ${title}`, function () {
    this.timeout(300_000);
    let backend: Backend;
    let lab: ControllerLab;
    let leader: Replica;
    let follower: Replica;

    before(async () => {
      backend = await start();
      lab = await ControllerLab.start(backend);
      leader = await lab.replica();
      await leader.ready("leading");
      follower = await lab.replica();
      await follower.ready("following");
    });
    after(async () => {
      await lab.stop();
      await backend.stop();
    });

    const registered = (
      expected: Readonly<Record<string, string>>,
      seconds = SOON,
    ): Promise<ReadonlyMap<string, Registered>> =>
      eventually(
        "the registrations",
        async () => {
          const found = await backend.instances();
          assert.deepEqual(Object.fromEntries([...found].sort().map(([pod, { address }]) => [pod, address])), expected);
          return found;
        },
        seconds,
      );
    const writes = (replica: Replica): Promise<number> => replica.counted("lucid_controller_catalogue_writes_total");

    it("register by the one that leads, and the other only looks on", async () => {
      await lab.pod("admin-ui-a", "10.244.0.1");
      await lab.pod("admin-ui-b", "10.244.0.2");
      await registered({ "admin-ui-a": "10.244.0.1", "admin-ui-b": "10.244.0.2" });
      assert.equal(await writes(follower), 0);
      assert.equal((await lab.lease()).holder, (await leader.status()).identity);
      assert.equal((await follower.status()).leader, (await leader.status()).identity);
      for (const replica of [leader, follower])
        for (const place of ["/readyz", "/healthz"]) assert.equal((await replica.get(place)).status, 200);
      const targets = async (replica: Replica) => (await replica.get("/targets/ops")).text;
      assert.equal(await targets(follower), await targets(leader));
    });

    it("lose nothing and do nothing twice when the leader is killed", async () => {
      const before = await backend.instances();
      const { transitions } = await lab.lease();
      await leader.end("SIGKILL");
      await lab.pod("admin-ui-c", "10.244.0.3");
      await lab.removePod("admin-ui-b");
      const begun = performance.now();
      const after = await registered({ "admin-ui-a": "10.244.0.1", "admin-ui-c": "10.244.0.3" }, TAKEOVER);
      const took = (performance.now() - begun) / 1000;
      console.log(`        after a kill: caught up in ${took.toFixed(1)} s, of a lease of ${LEASE_SECONDS} s`);
      await follower.ready("leading");
      assert.deepEqual(after.get("admin-ui-a"), before.get("admin-ui-a"), "what was right was not written again");
      assert.equal(await writes(follower), 2, "one registration, one deregistration");
      assert.equal((await lab.lease()).transitions, transitions + 1);
      leader = follower;
      follower = await lab.replica();
      await follower.ready("following");
    });

    it("hand the lead over at once when the leader is told to end", async () => {
      const begun = performance.now();
      assert.equal(await leader.end("SIGTERM"), 0);
      await eventually("the other's lead", async () => assert.ok((await follower.status()).leading), LEASE_SECONDS);
      const took = (performance.now() - begun) / 1000;
      console.log(`        after SIGTERM: another leads in ${took.toFixed(1)} s`);
      await follower.ready("leading");
      await registered({ "admin-ui-a": "10.244.0.1", "admin-ui-c": "10.244.0.3" });
      assert.equal(await writes(follower), 0);
      leader = follower;
      follower = await lab.replica();
      await follower.ready("following");
    });

    it("have a leader that was stopped write nothing when it goes on", async () => {
      const before = await writes(leader);
      leader.freeze();
      await follower.ready("leading", TAKEOVER);
      await lab.pod("admin-ui-d", "10.244.0.4");
      await lab.report("admin-ui-c", false);
      await registered({ "admin-ui-a": "10.244.0.1", "admin-ui-d": "10.244.0.4" });
      // What the frozen one believes to be right is not so any more; what it was told meanwhile waits for it.
      leader.thaw();
      await leader.ready("following");
      await sleep(2_000);
      assert.equal(await writes(leader), before);
      assert.equal(await leader.counted("lucid_controller_elections_total", 'outcome="lost"'), 1);
      await registered({ "admin-ui-a": "10.244.0.1", "admin-ui-d": "10.244.0.4" });
      await lab.report("admin-ui-c", true);
      await registered({ "admin-ui-a": "10.244.0.1", "admin-ui-c": "10.244.0.3", "admin-ui-d": "10.244.0.4" });
      [leader, follower] = [follower, leader];
    });

    it("come back by themselves when all of them are killed, and keep what stands", async () => {
      const before = await backend.instances();
      await Promise.all([leader.end("SIGKILL"), follower.end("SIGKILL")]);
      leader = await lab.replica();
      await leader.ready("leading", TAKEOVER);
      follower = await lab.replica();
      await follower.ready("following");
      assert.deepEqual(await backend.instances(), before);
      assert.equal(await writes(leader), 0);
    });
  });
}
