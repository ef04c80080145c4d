import assert from "node:assert/strict";
import fc from "fast-check";
import { entryOf, nodeName, type CatalogueEntry } from "../../src/consul/entry.js";
import { isOurs, planNode, type Action } from "../../src/consul/plan.js";
import type { Actual as ActualOf } from "../../src/registry/registry.js";
import type { Registration } from "../../src/registry/registration.js";

type Actual = ActualOf<CatalogueEntry>;

const ONE: Registration = {
  zone: "ops",
  pod: "admin-ui-1",
  uid: "u1",
  service: "admin-ui",
  address: "10.244.0.7",
  version: "1.0.0",
  ready: true,
};
const NODE = "lucid-ops-admin-ui-1";

function desiredOf(...registrations: Registration[]): Map<string, Registration> {
  return new Map(registrations.map((registration) => [nodeName(registration.zone, registration.pod), registration]));
}

function actualOf(...entries: CatalogueEntry[]): Map<string, CatalogueEntry> {
  return new Map(entries.map((entry) => [entry.node, entry]));
}

/** What is done for a zone: each node that is desired or ours is put right. */
function plan(zone: "ops", desired: ReadonlyMap<string, Registration>, actual: ReadonlyMap<string, Actual>): Action[] {
  const ours = [...actual].flatMap(([node, entry]) =>
    entry === undefined || entry === "unknown" || isOurs(entry, zone) ? [node] : [],
  );
  return [...new Set([...desired.keys(), ...ours])]
    .sort()
    .flatMap((node) => planNode(node, desired.get(node), actual.get(node)));
}

/** What Consul makes of an action. */
function applied(catalogue: ReadonlyMap<string, Actual>, actions: readonly Action[]): Map<string, Actual> {
  const result = new Map(catalogue);
  for (const action of actions) {
    const before = result.get(action.node);
    const kept = before === undefined || before === "unknown" ? undefined : before;
    if (action.kind === "deregister") {
      result.delete(action.node);
    } else if (action.kind === "register") {
      const entry = entryOf(action.registration);
      const ids = new Set(entry.services.map(({ id }) => id));
      const checks = new Set(entry.checks.map(({ id }) => id));
      result.set(action.node, {
        ...entry,
        services: [...entry.services, ...(kept?.services ?? []).filter(({ id }) => !ids.has(id))],
        checks: [...entry.checks, ...(kept?.checks ?? []).filter(({ id }) => !checks.has(id))],
      });
    } else if (kept !== undefined) {
      const { id } = action;
      const gone = action.kind === "remove-service";
      result.set(action.node, {
        ...kept,
        services: gone ? kept.services.filter((service) => service.id !== id) : kept.services,
        checks: kept.checks.filter((check) => (gone ? check.serviceId !== id : check.id !== id)),
      });
    }
  }
  return result;
}

describe("controller: plan", () => {
  const entry = entryOf(ONE);
  const [service] = entry.services;
  const [check] = entry.checks;
  assert.ok(service !== undefined && check !== undefined);
  const foreignService = { ...service, id: "intruder", service: "tron-payment" };
  const foreignCheck = { id: "maintenance", name: "", status: "critical", serviceId: "" };

  const cases: readonly [string, Registration | undefined, Actual, string[]][] = [
    ["nothing wanted, nothing there", undefined, undefined, []],
    ["a pod that is not registered", ONE, undefined, ["register"]],
    ["a pod registered as it should be", ONE, entry, []],
    ["a ghost", undefined, entry, ["deregister"]],
    ["a write of unknown outcome, pod alive", ONE, "unknown", ["register"]],
    ["a write of unknown outcome, pod gone", undefined, "unknown", ["deregister"]],
    ["readiness lost", { ...ONE, ready: false }, entry, ["register"]],
    ["another address", { ...ONE, address: "10.244.0.8" }, entry, ["register"]],
    ["another version", { ...ONE, version: "2" }, entry, ["register"]],
    ["a successor of the same name", { ...ONE, uid: "u2" }, entry, ["register"]],
    ["a node address changed by hand", ONE, { ...entry, address: "10.0.0.1" }, ["register"]],
    [
      "a service address changed by hand",
      ONE,
      { ...entry, services: [{ ...service, address: "6.6.6.6" }] },
      ["register"],
    ],
    ["a port changed by hand", ONE, { ...entry, services: [{ ...service, port: 80 }] }, ["register"]],
    ["a status changed by hand", ONE, { ...entry, checks: [{ ...check, status: "critical" }] }, ["register"]],
    ["a check that is missing", ONE, { ...entry, checks: [] }, ["register"]],
    ["a service that is missing", ONE, { ...entry, services: [], checks: [] }, ["register"]],
    ["tags in another order", ONE, { ...entry, services: [{ ...service, tags: [...service.tags].reverse() }] }, []],
    ["further metadata", ONE, { ...entry, meta: { ...entry.meta, more: "1" } }, []],
    ["a foreign service on our node", ONE, { ...entry, services: [service, foreignService] }, ["remove-service"]],
    ["a foreign check on our node", ONE, { ...entry, checks: [check, foreignCheck] }, ["remove-check"]],
    ["a node of another maker", undefined, { ...entry, meta: {} }, []],
    [
      "a node of another zone's controller",
      undefined,
      { ...entry, meta: { ...entry.meta, "lucid-zone": "chain" } },
      [],
    ],
  ];
  for (const [what, registration, actual, kinds] of cases) {
    it(`${what}: ${kinds.join(", ") || "nothing"}`, () => {
      const desired = registration === undefined ? desiredOf() : desiredOf(registration);
      const found = new Map<string, Actual>(actual === undefined ? [] : [[NODE, actual]]);
      const actions = plan("ops", desired, found);
      assert.deepEqual(
        actions.map(({ kind }) => kind),
        kinds,
      );
      assert.deepEqual(plan("ops", desired, applied(found, actions)), [], "a second plan has nothing to do");
    });
  }

  const registrations = fc.uniqueArray(
    fc.record({
      zone: fc.constant("ops" as const),
      pod: fc.integer({ min: 0, max: 9 }).map((number) => `pod-${String(number)}`),
      uid: fc.constantFrom("u1", "u2"),
      service: fc.constantFrom("admin-ui", "prometheus"),
      address: fc.constantFrom("10.244.0.1", "10.244.0.2"),
      version: fc.constantFrom("", "1.0.0"),
      ready: fc.boolean(),
    }),
    { selector: ({ pod }) => pod },
  );
  const noise = fc.record({
    service: fc.boolean(),
    check: fc.boolean(),
    meta: fc.constantFrom("ours", "none", "other zone"),
    node: fc.constantFrom("ours", "foreign"),
  });
  const catalogue = registrations.chain((all) =>
    fc.tuple(...all.map((registration) => noise.map((what) => noisyEntry(registration, what)))),
  );

  function noisyEntry(
    registration: Registration,
    {
      service: withService,
      check: withCheck,
      meta,
      node,
    }: { service: boolean; check: boolean; meta: string; node: string },
  ): CatalogueEntry {
    const base = entryOf(registration);
    return {
      ...base,
      node: node === "ours" ? base.node : `server-${registration.pod}`,
      meta: meta === "ours" ? base.meta : meta === "none" ? {} : { ...base.meta, "lucid-zone": "chain" },
      services: withService ? [...base.services, foreignService] : base.services,
      checks: withCheck ? [...base.checks, foreignCheck] : base.checks,
    };
  }

  it("makes our part of the catalogue equal to what is desired, in one go", () => {
    fc.assert(
      fc.property(registrations, catalogue, (wanted, entries) => {
        const desired = desiredOf(...wanted);
        const after = applied(actualOf(...entries), plan("ops", desired, actualOf(...entries)));
        assert.deepEqual(plan("ops", desired, after), []);
        for (const [node, registration] of desired) {
          const found = after.get(node);
          assert.ok(found !== undefined && found !== "unknown");
          const expected = entryOf(registration);
          assert.deepEqual(found.services, expected.services);
          assert.deepEqual(found.checks, expected.checks);
        }
        for (const [node, found] of after) {
          assert.ok(found !== undefined && found !== "unknown");
          assert.ok(desired.has(node) || !isOurs(found, "ops"), `${node} is a ghost`);
        }
      }),
    );
  });

  it("never touches what is not ours", () => {
    fc.assert(
      fc.property(registrations, catalogue, (wanted, entries) => {
        const desired = desiredOf(...wanted);
        const touched = new Set(plan("ops", desired, actualOf(...entries)).map(({ node }) => node));
        for (const found of entries) {
          assert.ok(isOurs(found, "ops") || desired.has(found.node) || !touched.has(found.node), found.node);
        }
      }),
    );
  });

  it("does nothing where all is as desired", () => {
    fc.assert(
      fc.property(registrations, (wanted) => {
        assert.deepEqual(plan("ops", desiredOf(...wanted), actualOf(...wanted.map(entryOf))), []);
      }),
    );
  });
});
