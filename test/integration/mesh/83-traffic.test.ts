import assert from "node:assert/strict";
import { LABELS } from "../../../mesh";
import { core, isReady, podOf, podsOf } from "../support/cluster";
import type { PodRef } from "../support/cluster";
import { service } from "../support/document";
import { eventually } from "../support/eventually";
import { HEALTH_PATH, SETTABLE, answerWith, burst } from "../support/fortio";
import { sidecarStat } from "../support/sidecar-stats";
import { deploy, deployDeclared, written } from "../support/stacks/variation";
import type { WrittenDocument } from "../support/stacks/variation";

const WEIGHTS = { stable: 90, canary: 10 } as const;
/** Percentage points by which a version's share may differ from its weight. */
const TOLERANCE = 2;
const MAX_REQUESTS = 5;
const BUDGET_PERCENT = 20;
const EJECTION_SECONDS = 5;
const LIMIT = { requestsPerSecond: 10, burst: 20 };

const admin = service("admin-ui");
const router = service("payout-router");
const payment = service("tron-payment");
const blocks = service("lucid-blocks");

/**
 * admin-ui -> payout-router (two instances that can be made to fail): breaker and ejection. payout-router -> tron-payment (two versions): weights and the
 * retry budget. lucid-blocks takes so much from each caller.
 */
function declared(document: WrittenDocument): void {
  document.traffic = { maxAmplification: 100 };
  const [called, split, limited] = [router, payment, blocks].map(({ name }) => written(document, name));
  assert.ok(called && split && limited);
  const settable = [...(called.args as string[]), SETTABLE];
  Object.assign(called, { args: settable, replicas: 2, health: { path: HEALTH_PATH } });
  called.traffic = {
    retries: { attempts: 0 },
    circuitBreaker: { maxRequests: MAX_REQUESTS, maxPendingRequests: MAX_REQUESTS },
    outlierDetection: { consecutiveGatewayErrors: 5, interval: "1s", baseEjectionTime: `${EJECTION_SECONDS}s` },
  };
  const { image } = split;
  delete split.image;
  delete split.version;
  split.versions = Object.entries(WEIGHTS).map(([name, weight]) => ({ name, image, weight }));
  split.traffic = {
    retries: { on: ["5xx"], attempts: 3, budget: { percent: BUDGET_PERCENT, minConcurrency: 0 } },
    outlierDetection: { consecutiveGatewayErrors: 0 },
  };
  limited.traffic = { rateLimit: LIMIT };
}

/** The pods of one version. */
async function podsOfVersion(version: string): Promise<PodRef[]> {
  const { items } = await core.listNamespacedPod({
    namespace: payment.namespace,
    labelSelector: `${LABELS.name}=${payment.name},${LABELS.version}=${version}`,
  });
  const names = items.filter(isReady).map(({ metadata }) => metadata?.name);
  return (await podsOf(payment)).filter(({ name }) => names.includes(name));
}

/** Requests that the pods' applications were sent. */
async function arrived(pods: readonly PodRef[]): Promise<number> {
  const counts = await Promise.all(pods.map((pod) => sidecarStat(pod, "cluster.application|http.upstream_rq_total")));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Requests with another ending than these. */
function without(statuses: Readonly<Record<string, number>>, ...expected: readonly string[]): string[] {
  return Object.keys(statuses).filter((status) => !expected.includes(status));
}

describe("traffic as the document declares it", function () {
  this.timeout(600_000);
  before(() => deploy({ document: declared }));
  after(deployDeclared);

  it("is shared between versions by their weights", async () => {
    const from = await podOf(router);
    const url = `http://${payment.hostname}/`;
    const pods = await Promise.all(
      Object.keys(WEIGHTS).map(async (name) => [name, await podsOfVersion(name)] as const),
    );
    for (const [name, of] of pods) assert.equal(of.length, 1, `pods of ${name}`);
    const count = 6000;
    // Health checks arrive too, one every some seconds.
    const before = new Map(await Promise.all(pods.map(async ([name, of]) => [name, await arrived(of)] as const)));
    const { statuses, seconds } = await burst(from, { url, count, concurrency: 8 });
    assert.deepEqual(statuses, { "200": count });
    for (const [name, of] of pods) {
      const share = (100 * ((await arrived(of)) - (before.get(name) ?? 0))) / count;
      const weight = WEIGHTS[name as keyof typeof WEIGHTS];
      console.log(
        `      ${name}: ${share.toFixed(2)} % of ${count} requests in ${seconds.toFixed(0)} s, of ${weight} %`,
      );
      assert.ok(Math.abs(share - weight) < TOLERANCE, `${name} has ${share} %`);
    }
  });

  it("is tried again within the budget alone, however many calls fail", async () => {
    const from = await podOf(router);
    const count = 1000;
    const total = () => sidecarStat(from, `cluster.outbound|${payment.name}|http.upstream_rq_total`);
    const before = await total();
    const failing = `http://${payment.hostname}/?status=503&delay=20ms`;
    const { statuses } = await burst(from, { url: failing, count, concurrency: 40 });
    assert.deepEqual(statuses, { "503": count });
    const ratio = ((await total()) - before) / count;
    console.log(`      ${ratio.toFixed(2)} requests for one, with ${BUDGET_PERCENT} % of retries and three tries more`);
    assert.ok(ratio > 1 && ratio < 1.4, `${ratio} requests for one`);
  });

  it("is cut off where too much is under way, and goes on when that is answered", async () => {
    const from = await podOf(admin);
    const url = `http://${router.hostname}/`;
    const slow = await burst(from, { url: `${url}?delay=2s`, count: 30, concurrency: 30 });
    console.log(`      ${MAX_REQUESTS} at once, 30 sent: ${JSON.stringify(slow.statuses)}`);
    assert.deepEqual(slow.statuses, { "200": MAX_REQUESTS, "503": 30 - MAX_REQUESTS });
    assert.deepEqual((await burst(from, { url, count: 50, concurrency: MAX_REQUESTS })).statuses, { "200": 50 });
  });

  it("leaves out an instance that fails, and comes back to it once it is well", async () => {
    const from = await podOf(admin);
    const url = `http://${router.hostname}/`;
    const [failing] = await podsOf(router);
    assert.ok(failing);
    const send = (count: number) => burst(from, { url, count, concurrency: 2, rate: 100 });
    await answerWith(failing, "status=503");
    try {
      const during = await send(100);
      assert.deepEqual(without(during.statuses, "200", "503"), []);
      const failed = during.statuses["503"] ?? 0;
      console.log(`      an instance of two fails: ${failed} of 100 failed before it was left out`);
      assert.ok(failed >= 5 && failed < 25, `${failed} failed`);
      assert.deepEqual((await send(100)).statuses, { "200": 100 }, "left out");
    } finally {
      await answerWith(failing, "");
    }
    const well = Date.now();
    const before = await arrived([failing]);
    await eventually(
      "calls to the instance that was left out",
      async () => {
        assert.deepEqual((await send(20)).statuses, { "200": 20 });
        assert.ok((await arrived([failing])) > before + 5);
      },
      60,
    );
    console.log(`      it is called again ${((Date.now() - well) / 1000).toFixed(1)} s after it was well`);
  });

  it("has a limit for each caller, which the others don't feel", async () => {
    const url = `http://${blocks.hostname}/`;
    const [greedy, modest] = await Promise.all([
      burst(await podOf(router), { url, count: 200, concurrency: 4 }),
      burst(await podOf(admin), { url, count: 15, concurrency: 1 }),
    ]);
    const passed = greedy.statuses["200"] ?? 0;
    console.log(
      `      ${router.name}: ${JSON.stringify(greedy.statuses)}, ${admin.name}: ${JSON.stringify(modest.statuses)}`,
    );
    assert.deepEqual(without(greedy.statuses, "200", "429"), []);
    assert.ok(passed >= LIMIT.burst && passed <= LIMIT.burst + LIMIT.requestsPerSecond * (greedy.seconds + 1));
    assert.deepEqual(modest.statuses, { "200": 15 });
  });
});
