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

/** Which of them issues, once one does. */
async function issuing(issuers: readonly IssuerProcess[]): Promise<number> {
  return eventually(
    "one that issues",
    async () => {
      const states = await Promise.all(issuers.map((issuer) => issuer.health()));
      const leader = states.findIndex(({ leading }) => leading);
      assert.notEqual(leader, -1);
      return leader;
    },
    TAKEOVER_SECONDS,
  );
}

/** Something to do, whoever does it: a Secret that is gone, a revoked certificate, another authority. */
async function makeWork(lab: IssuerLab, count: number): Promise<void> {
  const service = SERVICES[count % SERVICES.length] ?? "";
  switch (Math.floor(count / 2) % 3) {
    case 0:
      await lab.api.ask({ method: "DELETE", path: `${SECRETS}/${service}-tls` }).catch(() => undefined);
      return;
    case 1: {
      const revoked = (await lab.leaf(service))?.serial ?? "4f";
      await lab.merge("/api/v1/namespaces/lucid-ops/configmaps/lucid-issuing", { data: { revoked } });
      return;
    }
    default: {
      const subject = `CN=ops.lucid.internal issuing ${String(count)}, O=Lucid`;
      await lab.sign("ops", await testAuthority("ops.lucid.internal", { subject }));
    }
  }
}

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
            if (leaf !== undefined) seen.get(service)?.add(leaf.certificate.fingerprint256);
          } catch (error) {
            broken.push(`${service}: ${String(error)}`);
          }
        }
        await sleep(20);
      }
    })();
    for (let count = 0; count < KILLS; count += 1) {
      // Every other time the one that issues, once one does; else either, whatever it is about to do.
      const victim = count % 2 === 0 ? await issuing(issuers) : Math.random() < 0.5 ? 0 : 1;
      await makeWork(lab, count);
      await sleep(Math.random() * 1_500);
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
      still.map((leaf) => leaf?.certificate.fingerprint256),
      settled.map((leaf) => leaf?.certificate.fingerprint256),
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
    await issuing([first]);
    await first.well(TAKEOVER_SECONDS);
    first.freeze();
    const second = await lab.issuer();
    await issuing([second]);
    await lab.api.ask({ method: "DELETE", path: `${SECRETS}/admin-ui-tls` });
    const { certificate } = await lab.issued("admin-ui");
    first.thaw();
    await eventually("the first to follow", async () => {
      assert.equal((await first.health()).leading, false);
    });
    await sleep(3_000);
    assert.equal((await lab.leaf("admin-ui"))?.certificate.fingerprint256, certificate.fingerprint256);
  });
});
