import assert from "node:assert/strict";
import { MESH_SERVICE } from "../../../mesh/custom-resource";
import { edit } from "../../policies/support/edit";
import type { Json, JsonObject } from "../../policies/support/edit";
import type { Manifest } from "./api";
import { pathOf, Refusal } from "./api";
import { assertRefused, Lab, planned, plannedObjects } from "./lab";

const CONTROLLER = "system:serviceaccount:lucid-mesh:mesh-controller";
const PAYOUT_ROUTER = ["MeshService", "lucid-wallet", "payout-router"] as const;

interface Conditions {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

/** What a real API server makes of `MeshService`. */
describe("MeshService at the API server", function () {
  this.timeout(300_000);
  let lab: Lab;
  before(async () => {
    lab = await Lab.start();
    for (const object of await plannedObjects()) await lab.apply(object);
  });
  after(() => lab.stop());

  const path = `/apis/${MESH_SERVICE.apiVersion}/namespaces/lucid-wallet/${MESH_SERVICE.plural}`;
  const strictly = (object: Manifest) =>
    lab.ask({
      method: "PATCH",
      path: `${pathOf(object)}?fieldManager=test&force=true&fieldValidation=Strict`,
      body: object,
      contentType: "application/apply-patch+yaml",
    });
  const status = (body: Json, user?: string) =>
    lab.ask({
      method: "PATCH",
      path: `${path}/payout-router/status`,
      body: { status: body },
      contentType: "application/merge-patch+json",
      user,
    });

  it("has a definition that is established, structural and without a warning", async () => {
    const { status: found } = (await lab.ask({
      method: "GET",
      path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${MESH_SERVICE.definition}`,
    })) as unknown as Conditions;
    const conditions = Object.fromEntries(found.conditions.map(({ type, status: value }) => [type, value]));
    assert.deepEqual(
      { ...conditions, NonStructuralSchema: conditions.NonStructuralSchema ?? "absent" },
      { NamesAccepted: "True", Established: "True", NonStructuralSchema: "absent" },
    );
  });

  it("takes every service of Lucid", async () => {
    for (const object of await plannedObjects()) if (object.kind === MESH_SERVICE.kind) await strictly(object);
  });

  const WRONG: readonly (readonly [title: string, path: string, value: Json | undefined, says: RegExp])[] = [
    ["a field that nobody knows", "spec.more", true, /unknown field "spec\.more"|field not declared in schema/],
    ["no zone", "spec.zone", undefined, /spec\.zone: Required/],
    ["a zone that there isn't", "spec.zone", "dmz", /Unsupported value: "dmz"/],
    ["another's identity", "spec.identity", "spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/x", /identity must be/],
    ["another's hostname", "spec.hostname", "x.lucid.internal", /hostname must be <name>\.lucid\.internal/],
    ["a workload without a number of pods", "spec.workload.replicas", undefined, /every workload but a job/],
    ["a workload of nobody knows which kind", "spec.workload.kind", "pet", /Unsupported value: "pet"/],
    ["an owner of what the mesh itself brings", "spec.workload.owner", "team-x", /no other does/],
    ["fewer pods than none", "spec.workload.replicas", -1, /greater than or equal to 0/],
    ["a port out of range", "spec.ports[0].port", 70_000, /less than or equal to 65535/],
    ["a port that is no name", "spec.ports[0].name", "Http", /spec\.ports\[0\]\.name/],
    ["a call across zones without a reason", "spec.calls[0].reason", undefined, /says its reason/],
    ["an end that is no date", "spec.calls[0].until", "soon", /spec\.calls\[0\]\.until/],
  ];
  for (const [title, place, value, says] of WRONG) {
    it(`refuses ${title}`, async () => {
      const object = (await planned(...PAYOUT_ROUTER)) as JsonObject;
      await assert.rejects(strictly(edit(object, place, value)), (error: unknown) => {
        assert.ok(error instanceof Refusal, String(error));
        assert.match(error.message, says);
        return true;
      });
      await strictly(object);
    });
  }

  it("refuses a stranger, a member of another zone and one without a sidecar", async () => {
    const object = (await planned(...PAYOUT_ROUTER)) as JsonObject;
    const as = (zone: string, name: string): Manifest => {
      const identity = `spiffe://${zone}.lucid.internal/ns/lucid-${zone}/sa/${name}`;
      const spec = { ...(object.spec as JsonObject), zone, identity, hostname: `${name}.lucid.internal`, calls: [] };
      return { ...object, metadata: { name, namespace: `lucid-${zone}` }, spec };
    };
    for (const [zone, name] of [
      ["wallet", "stranger"],
      ["wallet", "lucid-blocks"],
      ["mesh", "consul"],
    ] as const) {
      await assertRefused(lab.create(as(zone, name)), "lucid-declarations", /no member of this zone with a sidecar/);
    }
    const elsewhere = edit(as("ops", "payout-router") as JsonObject, "metadata.namespace", "lucid-wallet");
    await assertRefused(strictly(elsewhere), "lucid-declarations", /another zone than its namespace's/);
  });

  it("lets no service declare anything, whatever it has the right to", async () => {
    const user = "system:serviceaccount:lucid-wallet:tron-payment";
    const object = await planned(...PAYOUT_ROUTER);
    await assert.rejects(lab.apply(object, { user }), /cannot (get|patch)/);
    await lab.ask({
      method: "POST",
      path: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
      body: {
        metadata: { name: "test-tron-payment" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
        subjects: [{ kind: "User", name: user, apiGroup: "rbac.authorization.k8s.io" }],
      },
    });
    const more = edit(object as JsonObject, "spec.workload.replicas", 5) as Manifest;
    await assertRefused(lab.apply(more, { user }), "lucid-declarations", /by no service/);
    await assertRefused(
      lab.ask({ method: "DELETE", path: `${path}/payout-router`, user }),
      "lucid-declarations",
      /by no service/,
    );
    await assertRefused(status({ observedGeneration: 1 }, user), "lucid-declared-status", /controller alone/);
  });

  it("keeps the status out of the declaration, and for the controller alone", async () => {
    const object = await planned(...PAYOUT_ROUTER);
    const instances = { present: 9, ready: 9, registered: 9 };
    const applied = await lab.apply({ ...object, status: { instances } });
    assert.equal(applied.status, undefined);
    await assertRefused(status({ instances }), "lucid-declared-status", /controller alone/);
    const told = (await status({ instances }, CONTROLLER)) as { status?: unknown; spec?: unknown };
    assert.deepEqual(told.status, { instances });
    assert.deepEqual(told.spec, ((await lab.apply(object)) as { spec?: unknown }).spec);
  });

  it("gives the controller no right to the declaration itself, nor to declare another", async () => {
    const object = await planned(...PAYOUT_ROUTER);
    await assert.rejects(lab.apply(object, { user: CONTROLLER }), /cannot patch/);
    await assert.rejects(lab.create(object, CONTROLLER), /cannot create/);
    await assert.rejects(
      lab.ask({ method: "DELETE", path: `${path}/payout-router`, user: CONTROLLER }),
      /cannot delete/,
    );
    assert.ok(await lab.ask({ method: "GET", path, user: CONTROLLER }));
  });

  it("refuses conditions that are no conditions, and keeps one of a type", async () => {
    const condition = {
      type: "Ready",
      status: "True",
      observedGeneration: 1,
      lastTransitionTime: "2026-01-01T00:00:00Z",
      reason: "AllReady",
      message: "",
    };
    const set = (conditions: Json) => status({ conditions }, CONTROLLER);
    await set([condition]);
    await assert.rejects(set([{ ...condition, status: "Maybe" }]), /Unsupported value: "Maybe"/);
    await assert.rejects(set([{ ...condition, reason: "" }]), /reason/);
    await assert.rejects(set([condition, condition]), /Duplicate value/);
  });

  it("shows plane, readiness, instances, expiry, drift and age in its columns", async () => {
    await status(
      {
        instances: { present: 2, ready: 2, registered: 2 },
        certificate: { notAfter: "2027-01-02T03:04:05Z" },
      },
      CONTROLLER,
    );
    const table = (await lab.ask({
      method: "GET",
      path,
      accept: "application/json;as=Table;g=meta.k8s.io;v=v1",
    })) as unknown as {
      columnDefinitions: { name: string; priority: number }[];
      rows: { cells: unknown[] }[];
    };
    const names = table.columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name);
    assert.deepEqual(names, ["Name", "Plane", "Ready", "Instances", "Certificate-Expiry", "Drift", "Age"]);
    const row = table.rows.find(({ cells }) => cells[0] === "payout-router")?.cells ?? [];
    assert.deepEqual(row.slice(0, 5), ["payout-router", "wallet", "True", 2, "2027-01-02T03:04:05Z"]);
  });
});
