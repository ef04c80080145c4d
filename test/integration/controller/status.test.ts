/** What the controller says of services, at a real API server, under its planned rights and the mesh's admission policies. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { CERTIFICATE_END } from "../../../mesh/wire";
import { eventually } from "../support/eventually";
import { BACKENDS, type Backend } from "./backends";
import { ControllerLab, LEASE_SECONDS } from "./lab";
import type { Replica } from "./replica";

const MERGE = "application/merge-patch+json";
const END = "2027-02-19T20:31:04Z";

describe("status of MeshServices", function () {
  this.timeout(300_000);
  let backend: Backend;
  let lab: ControllerLab;
  let leader: Replica;

  before(async () => {
    backend = await (BACKENDS.etcd as () => Promise<Backend>)();
    lab = await ControllerLab.start(backend);
    leader = await lab.replica();
    await leader.ready("leading");
  });
  after(async () => {
    await lab.stop();
    await backend.stop();
  });

  const adminUi = () => lab.meshService("lucid-ops", "admin-ui");
  const condition = async (type: string) => {
    const { status } = await adminUi();
    return status?.conditions?.find((one) => one.type === type);
  };
  const becomes = (type: string, expected: string, seconds = 15) =>
    eventually(
      `${type} of admin-ui`,
      async () => {
        const found = await condition(type);
        assert.equal(`${found?.status ?? "absent"} ${found?.reason ?? ""}`, expected);
      },
      seconds,
    );

  it("is said of every service of the zones that it keeps", async () => {
    for (const name of ["admin-ui", "jaeger", "prometheus"])
      await eventually(`the status of ${name}`, async () => {
        const { status, metadata } = await lab.meshService("lucid-ops", name);
        assert.equal(status?.observedGeneration, metadata.generation);
        assert.deepEqual(status.instances, { present: 0, ready: 0, registered: 0 });
      });
  });

  it("follows pods within 10 s", async () => {
    await lab.pod("admin-ui-a", "10.244.0.1");
    await becomes("Ready", "True InstancesReady", 10);
    await becomes("Registered", "True InstancesRegistered", 10);
    await becomes("Distributed", "True PodsTold", 10);
    assert.deepEqual((await adminUi()).status?.instances, { present: 1, ready: 1, registered: 1 });
    await lab.report("admin-ui-a", false);
    await becomes("Ready", "False NoInstances", 10);
    await lab.report("admin-ui-a", true);
    await becomes("Ready", "True InstancesReady", 10);
  });

  it("follows the declaration, and says by which it judges", async () => {
    const path = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices/admin-ui";
    const replicas = (count: number) =>
      lab.api.ask({ method: "PATCH", path, body: { spec: { workload: { replicas: count } } }, contentType: MERGE });
    await replicas(2);
    await becomes("Ready", "False InstancesMissing");
    const { metadata, status } = await adminUi();
    assert.deepEqual(
      [status?.observedGeneration, ...(status?.conditions ?? []).map(({ observedGeneration }) => observedGeneration)],
      Array.from({ length: 5 }, () => metadata.generation),
    );
    await replicas(1);
    await becomes("Ready", "True InstancesReady");
  });

  it("tells until when the certificate is good, as it was issued", async () => {
    const path = "/api/v1/namespaces/lucid-ops/configmaps/admin-ui-trust";
    const body = { metadata: { annotations: { [CERTIFICATE_END]: END } } };
    await lab.api.ask({ method: "PATCH", path, body, contentType: MERGE });
    await eventually("the certificate's end", async () => {
      assert.equal((await adminUi()).status?.certificate?.notAfter, END);
    });
  });

  it("is not written while nothing changes", async () => {
    await sleep(4_000);
    const before = await adminUi();
    await sleep(12_000);
    assert.equal((await adminUi()).metadata.resourceVersion, before.metadata.resourceVersion);
  });

  it("stays as it is over a change of leader, times included", async () => {
    const before = await adminUi();
    const follower = await lab.replica();
    await follower.ready("following");
    await leader.end("SIGKILL");
    await follower.ready("leading", LEASE_SECONDS + 20);
    await sleep(8_000);
    const after = await adminUi();
    assert.deepEqual(after.status, before.status);
    assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion, "and nobody wrote it");
    leader = follower;
    await lab.removePod("admin-ui-a");
    await becomes("Ready", "False NoInstances");
    assert.deepEqual((await adminUi()).status?.instances, { present: 0, ready: 0, registered: 0 });
  });

  it("is told of in metrics", async () => {
    assert.equal(await leader.counted("lucid_controller_services", 'zone="ops"', 'ready="False"'), 3);
    assert.ok((await leader.counted("lucid_controller_status_writes_total", 'zone="ops"')) > 0);
    assert.equal(await leader.counted("lucid_controller_failures_total", "status"), 0);
  });
});
