import assert from "node:assert/strict";
import { KubeConfig } from "@kubernetes/client-node";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ApiCluster } from "../../../../cli/check/cluster/api";
import { ClusterError, UnreachableError } from "../../../../cli/check/cluster/cluster";
import { recordedContext } from "./recorded-cluster";
import type { RecordedCluster } from "./recorded-cluster";
import { serve } from "./served";
import type { Served } from "./served";

function configOf(server: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: "test", server, skipTLSVerify: true }, { name: "test", token: "of-the-test" });
  return config;
}

describe("the API server, as checks ask it", function () {
  this.timeout(60_000);
  let recorded: RecordedCluster;
  let served: Served;
  let api: ApiCluster;

  beforeEach(async () => {
    recorded = (await recordedContext()).cluster;
    served = await serve(recorded, 3);
    api = new ApiCluster(configOf(served.server));
  });
  afterEach(() => {
    served.close();
  });

  it("gives all pages of a list", async () => {
    const items = await api.list("/api/v1/namespaces/lucid-ops/configmaps");
    assert.deepEqual(items, await recorded.list("/api/v1/namespaces/lucid-ops/configmaps"));
    assert.ok(items.length > 3);
    assert.ok(served.requests.length > 1);
  });

  it("gives objects, and what is no object", async () => {
    assert.deepEqual(await api.get("/version"), { gitVersion: "v1.34.2" });
    assert.equal((await api.text("/readyz?verbose")).status, 200);
  });

  it("says what the API server refuses, with its status and words", async () => {
    recorded.forbidden.add("/api/v1/secrets");
    await assert.rejects(api.list("/api/v1/secrets"), (error) => {
      assert.ok(error instanceof ClusterError);
      assert.equal(error.status, 403);
      assert.match(error.message, /cannot list/);
      return true;
    });
    await assert.rejects(api.get("/apis/none.example.org/v1"), { status: 404 });
  });

  it("reviews rights", async () => {
    recorded.grant(({ verb }) => verb === "list");
    assert.equal(await api.may({ verb: "list", group: "", resource: "pods" }), true);
    assert.equal(await api.may({ verb: "delete", group: "", resource: "pods" }), false);
  });

  it("asks by dry runs alone, and tells a refused object from a refused question", async () => {
    const pod = { kind: "Pod", metadata: { name: "mesh-check" } };
    assert.match((await api.refusalOf("/api/v1/namespaces/lucid-ops/pods", pod)) ?? "", /PodSecurity/);
    recorded.refusal = () => undefined;
    assert.equal(await api.refusalOf("/api/v1/namespaces/lucid-ops/pods", pod), undefined);
    for (const words of [
      'pods is forbidden: User "x" cannot create resource "pods"',
      'admission webhook "w" does not support dry run',
    ]) {
      recorded.refusal = () => words;
      await assert.rejects(api.refusalOf("/api/v1/namespaces/lucid-ops/pods", pod), ClusterError);
    }
    assert.deepEqual([...new Set(served.requests)], ["POST /api/v1/namespaces/lucid-ops/pods?dryRun=All"]);
  });

  it("reads the server's clock", async () => {
    const { server, asked, answered } = await api.clock();
    assert.ok(asked <= answered && Math.abs(server.getTime() - asked.getTime()) < 5000);
  });

  it("says that nobody answers", async () => {
    served.close();
    await assert.rejects(api.get("/version"), UnreachableError);
  });

  it("gives up on who never answers", async () => {
    const silent: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const patient = new ApiCluster(configOf(`http://127.0.0.1:${String((silent.address() as AddressInfo).port)}`), 200);
    await assert.rejects(patient.get("/version"), /nothing within 0\.2 s/);
    silent.close();
    silent.closeAllConnections();
  });
});
