import assert from "node:assert/strict";
import type { DeclaredService } from "../src/services/resource.js";
import { serviceInstances } from "../src/status.js";

type Views = Parameters<typeof serviceInstances>[0];

/** What is seen of one zone with these services. */
const views = (...services: readonly Partial<DeclaredService>[]): Views =>
  ({
    zones: [{ name: "ops", pods: { namespace: "lucid-ops" } }],
    services: [{ namespace: "lucid-ops", all: () => services.map((service) => ({ ...admin, ...service })) }],
  }) as unknown as Views;

const admin: DeclaredService = {
  name: "admin-ui",
  version: "7",
  generation: 3,
  workload: { kind: "application", replicas: 3 },
  calls: [],
  tellsMetrics: false,
  status: { instances: { present: 3, ready: 2, registered: 1 } },
};

const counts = (...services: readonly Partial<DeclaredService>[]) =>
  serviceInstances(views(...services)).map(({ service, state, count }) => `${service} ${state} ${String(count)}`);

describe("instances of services, as they are counted", () => {
  it("are those that are declared, ready and registered", () => {
    assert.deepEqual(counts({}), ["admin-ui declared 3", "admin-ui ready 2", "admin-ui registered 1"]);
    assert.deepEqual(
      serviceInstances(views({})).map(({ zone }) => zone),
      ["ops", "ops", "ops"],
    );
  });

  it("of a service that another stack brings have no declared number: it says how many there are at most", () => {
    assert.deepEqual(counts({ workload: { kind: "joined", replicas: 3 } }), [
      "admin-ui ready 2",
      "admin-ui registered 1",
    ]);
  });

  it("are not counted of a job, of a revoked service, and of one of which nothing was said yet", () => {
    assert.deepEqual(counts({ workload: { kind: "job" } }), []);
    assert.deepEqual(counts({ revoked: "its key was lost" }), []);
    assert.deepEqual(counts({ status: undefined }), []);
  });

  it("are none of a zone that nobody deployed yet", () => {
    assert.deepEqual(serviceInstances({ zones: views().zones, services: [] }), []);
  });
});
