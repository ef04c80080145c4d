import assert from "node:assert/strict";
import type { Registration } from "../src/registry/registration.js";
import type { DeclaredService } from "../src/services/resource.js";
import { targets } from "../src/targets.js";

const registration = (pod: string, ready: boolean) =>
  ({ service: "lucid-blocks", pod, address: "10.0.0.7", version: "1.2.3", ready }) as Registration;

/** MeshServices, of which those named tell metrics of their own. */
const declared = (...tell: string[]) => ({
  get: (name: string) => ({ tellsMetrics: tell.includes(name) }) as DeclaredService,
});

describe("scrape targets", () => {
  it("are the inspection ports of a zone's pods, ready or not, in a stable order", () => {
    const desired = new Map([
      ["b", registration("b", false)],
      ["a", registration("a", true)],
    ]);
    const labels = { zone: "chain", service: "lucid-blocks", version: "1.2.3" };
    assert.deepEqual(targets({ name: "chain", desired: () => desired }, declared()), [
      { targets: ["10.0.0.7:15090"], labels: { ...labels, pod: "a" } },
      { targets: ["10.0.0.7:15090"], labels: { ...labels, pod: "b" } },
    ]);
  });

  it("are none where no pod is", () => {
    assert.deepEqual(targets({ name: "edge", desired: () => new Map() }, declared()), []);
  });

  it("say whose application tells metrics of its own, by a label that Prometheus drops", () => {
    const desired = new Map([["a", registration("a", true)]]);
    const labelsOf = (services: Parameters<typeof targets>[1]) =>
      targets({ name: "chain", desired: () => desired }, services).map(({ labels }) => labels.__meta_lucid_metrics);
    assert.deepEqual(labelsOf(declared("lucid-blocks")), ["true"]);
    assert.deepEqual(labelsOf(declared("payout-router")), [undefined]);
    assert.deepEqual(labelsOf({ get: () => undefined }), [undefined]);
  });
});
