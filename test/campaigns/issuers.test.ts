import assert from "node:assert/strict";
import { podGenerations } from "../integration/support/cluster";
import { mesh, service } from "../integration/support/document";
import { deployIssuers, deployWithoutIssuers, issued, served } from "../integration/support/issuers";
import { startLoads } from "../integration/support/load";

const MINUTE = 60;
const RATE = 200;
/** Two thirds of an hour, and what it takes until every sidecar serves the next. */
const RENEWAL_SECONDS = 45 * MINUTE;
const ROUNDS = 3;
const URL = "http://lucid-blocks.lucid.internal/";

describe("certificates of an hour that issuers make anew in time, by themselves", function () {
  this.timeout((ROUNDS + 1) * RENEWAL_SECONDS * 1000);
  before(() => deployIssuers({ config: { leafValidityHours: "1" } }));
  after(deployWithoutIssuers);

  it("fail no request and restart no pod", async () => {
    let before = await served();
    const pods = await podGenerations(mesh.services);
    const loads = await startLoads(
      { from: service("admin-ui"), url: URL, rate: RATE },
      { from: service("payout-router"), url: URL, rate: RATE },
      { from: service("admin-ui"), url: URL, rate: RATE, fresh: true },
    );
    try {
      for (let round = 1; round <= ROUNDS; round += 1) {
        before = await served(issued, before, RENEWAL_SECONDS);
        console.log(`      renewal ${round} of ${ROUNDS}: every sidecar serves its new certificate`);
      }
    } finally {
      await loads.assertUnharmed();
    }
    assert.deepEqual(await podGenerations(mesh.services), pods);
  });
});
