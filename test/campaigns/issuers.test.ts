import assert from "node:assert/strict";
import { podsAtOnce } from "../../mesh";
import { issuerOf } from "../../mesh/issuing";
import { apps, core, mergePatch, podGenerations, podsOf } from "../integration/support/cluster";
import { mesh, service } from "../integration/support/document";
import { eventually } from "../integration/support/eventually";
import { deployIssuers, deployWithoutIssuers, issued, issuing, served, takeAway } from "../integration/support/issuers";
import { underLoad } from "../integration/support/load";
import { pulumi } from "../integration/support/pulumi";
import { registeredAsRunning } from "../integration/support/registration";

const MINUTE = 60;
/** Two thirds of an hour, and what it takes until every sidecar serves the next. */
const RENEWAL_SECONDS = 45 * MINUTE;
const ROUNDS = 3;
const KILLS = 20;
/** Who is scaled up and down meanwhile: none of the loads is its. */
const scaled = service("tron-payment");

describe("certificates of an hour that issuers make anew in time, by themselves", function () {
  this.timeout((ROUNDS + 1) * RENEWAL_SECONDS * 1000);
  before(() => deployIssuers({ config: { leafValidityHours: "1" } }));
  after(deployWithoutIssuers);

  it("fail no request and restart no pod", async () => {
    const pods = await podGenerations(mesh.services);
    await underLoad(async () => {
      let before = await served();
      for (let round = 1; round <= ROUNDS; round += 1) {
        before = await served(issued, before, RENEWAL_SECONDS);
        console.log(`      renewal ${round} of ${ROUNDS}: every sidecar serves its new certificate`);
      }
    });
    assert.deepEqual(await podGenerations(mesh.services), pods);
  });
});

describe("a pod of the controller or of an issuer, killed twenty times at random", function () {
  this.timeout(60 * MINUTE * 1000);
  before(() => deployIssuers());
  after(deployWithoutIssuers);

  it("breaks nothing, while certificates are made and instances come and go", async () => {
    const untouched = mesh.services.filter(({ name }) => name !== scaled.name && name !== "mesh-controller");
    const pods = await podGenerations(untouched);
    await underLoad(async () => {
      let before = await served();
      for (let kill = 1; kill <= KILLS; kill += 1) {
        await takeAway();
        await scale(kill % 2 === 0 ? podsAtOnce(scaled) : podsAtOnce(scaled) + 1);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 3_000));
        console.log(`      kill ${kill} of ${KILLS}: ${await killOne()}`);
        if (kill % 5 === 0) before = await served(issued, before);
      }
      await registeredAsRunning(mesh.services, 120);
    });
    assert.deepEqual(await podGenerations(untouched), pods, "no other pod was replaced or restarted");
    const { status, output } = await pulumi(
      ...["up", "--yes", "--non-interactive", "--expect-no-changes", "--policy-pack", "policies"],
      ...["--config", "lucid-mesh:autoRotateCerts=true"],
    );
    assert.equal(status, 0, output);
  });

  function scale(replicas: number): Promise<unknown> {
    const { name, namespace } = scaled;
    return apps.patchNamespacedDeploymentScale({ name, namespace, body: { spec: { replicas } } }, mergePatch);
  }

  /** Kills a pod of the controller or of an issuer without a word; resolves to its name. */
  async function killOne(): Promise<string> {
    const namespace = "lucid-mesh";
    const names = ["mesh-controller", ...issuing.map(issuerOf)];
    const victim = await eventually("a pod to kill", async () => {
      const found = (await Promise.all(names.map((name) => podsOf({ name, namespace })))).flat();
      return found[Math.floor(Math.random() * found.length)] ?? assert.fail("none is ready");
    });
    await core.deleteNamespacedPod({ name: victim.name, namespace, gracePeriodSeconds: 0 });
    return victim.name;
  }
});
