import assert from "node:assert/strict";
import { ClockSkew } from "../../src/issuer/clock-skew.js";
import { KubernetesApi } from "../../src/kubernetes/api.js";
import { FakeKubernetes } from "../support/fake-kubernetes.js";

describe("issuer: the clock", () => {
  it("is compared with the API server's by its answers' dates", async () => {
    const kubernetes = await FakeKubernetes.start();
    const skew = new ClockSkew();
    const api = new KubernetesApi(kubernetes.kubeConfig(), (times) => {
      skew.answered(times);
    });
    assert.equal(skew.milliseconds, undefined);
    kubernetes.documents.set("/version", {});
    await api.get("/version", new AbortController().signal);
    assert.ok(Math.abs(Number(skew.milliseconds)) < 2_000);
    assert.equal(skew.isNoticeable, false);
    await kubernetes.stop();
  });

  it("is ahead or behind, by the answer that was least under way", () => {
    const skew = new ClockSkew();
    skew.answered({ sent: 1_000_000, received: 1_020_000, date: 980_000 });
    skew.answered({ sent: 1_030_000, received: 1_030_010, date: 1_000_000 });
    assert.equal(skew.milliseconds, 29_505);
    assert.equal(skew.isNoticeable, true);
    for (let count = 0; count < 8; count += 1) {
      skew.answered({ sent: 2_000_000, received: 2_000_200, date: 2_009_000 });
    }
    assert.equal(skew.milliseconds, -9_400);
    assert.equal(skew.isNoticeable, false);
  });
});
