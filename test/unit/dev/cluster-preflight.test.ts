import assert from "node:assert/strict";
import * as net from "node:net";
import { once } from "node:events";

import { checkDirectory, checkDisk, freePort } from "../../../dev/cluster/preflight";
import type { ClusterStatus } from "../../../dev/cluster/status";
import { statusText } from "../../../dev/cluster/status-text";

describe("before the embedded cluster is started", () => {
  for (const bad of ["/var/lib/mesh", "/run", "/var/log/x", `/${"long".repeat(30)}`]) {
    it(`${bad.slice(0, 20)} is refused as its state, with the variable that mends it`, () => {
      assert.throws(() => {
        checkDirectory(bad, "LUCID_MESH_STATE");
      }, /set LUCID_MESH_STATE to/);
    });
  }

  it("an ordinary directory is taken, also one whose name begins alike", () => {
    for (const good of ["/home/someone/.local/state/lucid-mesh", "/runner/state", "/var/library"]) {
      checkDirectory(good, "LUCID_MESH_STATE");
    }
  });

  it("a disk that the cluster would fill is refused, with what is free and what is needed", () => {
    checkDisk("/state", 8e9);
    assert.throws(() => {
      checkDisk("/state", 7.9e9);
    }, /the disk of \/state is too full: 7\.9 GB free, 8\.0 GB needed; make room/);
  });

  it("a busy port is refused when it was asked for, and passed over when not", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    try {
      await assert.rejects(freePort(1, port), new RegExp(`port ${String(port)} of 127\\.0\\.0\\.1 is busy`));
      assert.ok((await freePort(port, undefined)) > port);
    } finally {
      server.close();
    }
  });
});

describe("the status of the embedded cluster", () => {
  const status: ClusterStatus = {
    state: "unhealthy",
    nodes: [{ name: "node1", ready: false, podMemory: 5e6 }],
    components: [{ machine: "node1", name: "etcd", pid: undefined, memory: undefined, log: "/l/etcd.log" }],
    podsNotReady: [{ namespace: "lucid-ops", name: "admin-ui-0", phase: "Pending" }],
    problems: ["etcd on node1 doesn't run"],
    memory: 600e6,
    apiPort: 6443,
    dockerSocket: "/run/docker.sock",
  };

  it("shows what is wrong so that it can't be overlooked", () => {
    const text = statusText(status);
    assert.match(text, /^cluster: unhealthy, 600 MB, API server on 127\.0\.0\.1:6443$/m);
    assert.match(text, /^node1 +NO +5 MB$/m);
    assert.match(text, /^node1 +etcd +NOT RUNNING +\? +\/l\/etcd\.log$/m);
    assert.match(text, /^pod not ready: lucid-ops\/admin-ui-0 \(Pending\)$/m);
    assert.match(text, /^problem: etcd on node1 doesn't run$/m);
  });

  it("says how to start a cluster where there is none", () => {
    assert.equal(statusText({ ...status, state: "absent" }), "cluster: not up; start it by 'npm run cluster -- up'");
  });
});
