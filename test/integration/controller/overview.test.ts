/** What the controller tells of the mesh, at a real API server, under its planned rights: as the MeshServices say, on every replica. */
import assert from "node:assert/strict";
import { overviewSchema, type Overview } from "../../../mesh/overview/model";
import { mesh } from "../support/document";
import { eventually } from "../support/eventually";
import { BACKENDS, type Backend } from "./backends";
import { ControllerLab, LEASE_SECONDS } from "./lab";
import type { Replica } from "./replica";

const kept = mesh.services.filter(({ zone }) => zone === "ops" || zone === "chain");

describe("overview of the mesh", function () {
  this.timeout(300_000);
  let backend: Backend;
  let lab: ControllerLab;
  let leader: Replica;
  let follower: Replica;

  before(async () => {
    backend = await (BACKENDS.etcd as () => Promise<Backend>)();
    lab = await ControllerLab.start(backend);
    leader = await lab.replica();
    await leader.ready("leading");
    follower = await lab.replica();
    await follower.ready("following");
  });
  after(async () => {
    await lab.stop();
    await backend.stop();
  });

  const overviewOf = async (replica: Replica): Promise<Overview> => {
    const { status, text } = await replica.get("/api/v1/overview");
    assert.equal(status, 200, text);
    return overviewSchema.parse(JSON.parse(text));
  };
  const service = (overview: Overview, name: string) => {
    const found = overview.services.find((one) => one.name === name);
    assert.ok(found, `no ${name}`);
    return found;
  };

  it("has every declared service and every declared edge of the zones that it keeps", async () => {
    await eventually("all services", async () => {
      const { services, edges } = await overviewOf(leader);
      assert.deepEqual(
        services.map(({ name }) => name),
        kept.map(({ name }) => name),
      );
      const expected = mesh.edges.filter(({ from }) => kept.some(({ name }) => name === from));
      assert.deepEqual(
        edges.map(({ from, to, port, kind, crossesZones, reason }) => ({ from, to, port, kind, crossesZones, reason })),
        expected.map(({ from, to, port, kind, crossesZones, reason }) => ({
          from,
          to,
          port,
          kind,
          crossesZones,
          reason,
        })),
      );
    });
  });

  it("says on every replica what the MeshServices say", async () => {
    await lab.pod("admin-ui-a", "10.244.0.1");
    for (const replica of [leader, follower])
      await eventually(
        "admin-ui being well",
        async () => {
          const told = service(await overviewOf(replica), "admin-ui");
          const { status } = await lab.meshService("lucid-ops", "admin-ui");
          assert.equal(told.state, "well", JSON.stringify(told));
          assert.deepEqual({ ...status?.instances, declared: 1 }, told.instances);
          assert.equal(told.certificate?.notAfter, status?.certificate?.notAfter);
        },
        20,
      );
    await lab.report("admin-ui-a", false);
    for (const replica of [leader, follower])
      await eventually("admin-ui failing", async () => {
        const overview = await overviewOf(replica);
        assert.equal(service(overview, "admin-ui").state, "failing");
        assert.equal(overview.zones.find(({ name }) => name === "ops")?.state, "failing");
        assert.equal(overview.mesh.state, "failing");
      });
    await lab.report("admin-ui-a", true);
  });

  it("tells who leads, after a change of leader too", async () => {
    const { leader: before } = await overviewOf(follower);
    await leader.end("SIGKILL");
    await follower.ready("leading", LEASE_SECONDS + 20);
    const { leader: after, replica, mesh: all } = await overviewOf(follower);
    assert.notEqual(after, before);
    assert.equal(after, replica);
    assert.ok(all.findings.some(({ check, state }) => check === "leader" && state === "well"));
  });

  it("serves the page under a policy that lets nothing in", async () => {
    const { status, text } = await follower.get("/");
    assert.equal(status, 200);
    assert.match(text, /<h1>Mesh status<\/h1>/);
    assert.match(text, /admin-ui/);
  });
});
