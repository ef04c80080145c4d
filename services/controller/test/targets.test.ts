import assert from "node:assert/strict";
import type { Registration } from "../src/registry/registration.js";
import { targets } from "../src/targets.js";

const registration = (pod: string, ready: boolean) =>
  ({ service: "lucid-blocks", pod, address: "10.0.0.7", version: "1.2.3", ready }) as Registration;

describe("scrape targets", () => {
  it("are the inspection ports of a zone's pods, ready or not, in a stable order", () => {
    const desired = new Map([
      ["b", registration("b", false)],
      ["a", registration("a", true)],
    ]);
    const labels = { zone: "chain", service: "lucid-blocks", version: "1.2.3" };
    assert.deepEqual(targets({ name: "chain", desired: () => desired }), [
      { targets: ["10.0.0.7:15090"], labels: { ...labels, pod: "a" } },
      { targets: ["10.0.0.7:15090"], labels: { ...labels, pod: "b" } },
    ]);
  });

  it("are none where no pod is", () => {
    assert.deepEqual(targets({ name: "edge", desired: () => new Map() }), []);
  });
});
