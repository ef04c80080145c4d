/** Issuers that are killed at random while certificates are made anew. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { testAuthority } from "../../../services/controller/test/support/authority";
import { eventually } from "../support/eventually";
import { IssuerLab, type IssuerProcess } from "./issuer-lab";

const KILLS = 20;
const SERVICES = ["admin-ui", "jaeger", "prometheus"];
const SECRETS = "/api/v1/namespaces/lucid-ops/secrets";
/** Until another takes over from one that was killed without a word. */
const TAKEOVER_SECONDS = 40;

describe("issuers that are killed twenty times", function () {
  this.timeout(1_200_000);
  let lab: IssuerLab;

  before(async () => {
    lab = await IssuerLab.start();
  });
  after(() => lab.stop());

  it("leave at every instant a whole certificate or none, and in the end every one as it should be", async () => {
    const issuers: IssuerProcess[] = [await lab.issuer(), await lab.issuer()];
    for (const service of SERVICES) await lab.issued(service, "ops", TAKEOVER_SECONDS);
    const seen = new Map(SERVICES.map((service) => [service, new Set<string>()]));
    const broken: string[] = [];
    let looks = 0;
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) {
        for (const service of SERVICES) {
          looks += 1;
          try {
            const leaf = await lab.leaf(service);
            if (leaf !== undefined) seen.get(service)?.add(leaf.serial);
          } catch (error) {
            broken.push(`${service}: ${String(error)}`);
          }
        }
        await sleep(20);
      }
    })();
    for (let count = 0; count < KILLS; count += 1) {
      // Something to do, whoever does it: a Secret that is gone, a revoked certificate, another authority.
      const service = SERVICES[count % SERVICES.length] ?? "";
      if (count % 5 === 4) {
        const subject = `CN=ops.lucid.internal issuing ${String(count)}, O=Lucid`;
        await lab.sign("ops", await testAuthority("ops.lucid.internal", { subject }));
      } else if (count % 2 === 0) {
        await lab.api.ask({ method: "DELETE", path: `${SECRETS}/${service}-tls` }).catch(() => undefined);
      } else {
        const serial = (await lab.leaf(service))?.serial;
        const policy = "/api/v1/namespaces/lucid-ops/configmaps/lucid-issuing";
        await lab.merge(policy, { data: { revoked: serial ?? "4f" } });
      }
      await sleep(Math.random() * 2_500);
      const states = await Promise.all(issuers.map((issuer) => issuer.health().catch(() => undefined)));
      const leading = states.findIndex((state) => state?.leading === true);
      // Every other time the one that issues.
      const victim = count % 2 === 0 && leading >= 0 ? leading : Math.random() < 0.5 ? 0 : 1;
      await issuers[victim]?.end(Math.random() < 0.25 ? "SIGTERM" : "SIGKILL");
      issuers[victim] = await lab.issuer();
    }
    for (const service of SERVICES) await lab.issued(service, "ops", 2 * TAKEOVER_SECONDS);
    for (const issuer of issuers) await issuer.well(TAKEOVER_SECONDS);
    await sleep(3_000);
    const settled = await Promise.all(SERVICES.map((service) => lab.leaf(service)));
    await sleep(5_000);
    const still = await Promise.all(SERVICES.map((service) => lab.leaf(service)));
    assert.deepEqual(
      still.map((leaf) => leaf?.serial),
      settled.map((leaf) => leaf?.serial),
      "nobody writes on",
    );
    watching.abort();
    await watch;
    assert.deepEqual(broken, []);
    const states = await Promise.all(issuers.map((issuer) => issuer.health()));
    assert.equal(states.filter(({ leading }) => leading).length, 1);
    const made = [...seen.values()].reduce((sum, { size }) => sum + size, 0);
    assert.ok(made > SERVICES.length + KILLS / 3, `${made} certificates`);
    console.log(`        ${looks} looks while ${KILLS} were killed, ${made} certificates`);
  });

  it("write nothing when they wake up after another took over", async () => {
    await lab.endIssuers();
    const first = await lab.issuer();
    await first.well(TAKEOVER_SECONDS);
    assert.equal((await first.health()).leading, true);
    first.freeze();
    const second = await lab.issuer();
    await eventually(
      "another that issues",
      async () => {
        assert.equal((await second.health()).leading, true);
      },
      TAKEOVER_SECONDS,
    );
    await lab.api.ask({ method: "DELETE", path: `${SECRETS}/admin-ui-tls` });
    const { serial } = await lab.issued("admin-ui");
    first.thaw();
    await eventually("the first to follow", async () => {
      assert.equal((await first.health()).leading, false);
    });
    await sleep(3_000);
    assert.equal((await lab.leaf("admin-ui"))?.serial, serial);
  });
});
