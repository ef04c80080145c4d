import assert from "node:assert/strict";

import { cniConfiguration } from "../../../dev/cluster/components/node";
import { maxNodes, networkOf, nodeMachine, nodeMachines, rootCgroup, stateFiles } from "../../../dev/cluster/layout";
import { wireOf } from "../../../dev/cluster/link";
import { hostsFile } from "../../../dev/cluster/machines";
import { saysReady } from "../../../dev/cluster/ready";
import { clusterName, stateDir } from "../../../dev/paths";

describe("the embedded cluster's layout", () => {
  it("numbers nodes from 10.77.0.10 and 10.244.1.0/24 on", () => {
    assert.deepEqual(nodeMachine(1), { name: "node1", address: "10.77.0.10", index: 1, podCidr: "10.244.1.0/24" });
    assert.deepEqual(nodeMachine(3), { name: "node3", address: "10.77.0.12", index: 3, podCidr: "10.244.3.0/24" });
  });

  it("gives no two nodes an address or pod network in common, and every one a valid address", () => {
    const nodes = nodeMachines(maxNodes);
    assert.equal(new Set(nodes.map(({ address }) => address)).size, maxNodes);
    assert.equal(new Set(nodes.map(({ podCidr }) => podCidr)).size, maxNodes);
    for (const { address, podCidr } of nodes) {
      assert.ok([...address.split("."), ...podCidr.split(/[./]/)].every((part) => Number(part) <= 255));
    }
  });

  for (const bad of [0, -1, 1.5, maxNodes + 1, NaN]) {
    it(`refuses node ${String(bad)}`, () => {
      assert.throws(() => nodeMachine(bad), /nodes are counted from 1/);
    });
  }

  it("keeps clusters of different states apart by their cgroups", () => {
    assert.equal(rootCgroup("/usual", "/usual"), "lucid-mesh");
    const other = rootCgroup("/other", "/usual");
    assert.match(other, /^lucid-mesh-[0-9a-f]{8}$/);
    assert.notEqual(other, rootCgroup("/third", "/usual"));
  });

  it("keeps everything below the state directory", () => {
    const files = stateFiles("/state");
    const paths = [files.pki, files.run, files.logs, files.volumes, files.record, files.kubeconfig, files.dockerSocket];
    for (const file of [...paths, files.machine(nodeMachine(1), "lib"), files.log(nodeMachine(1), "etcd")]) {
      assert.ok(file.startsWith("/state/"), file);
    }
  });

  it("gives no two clusters an address in common, so that they can be joined", () => {
    const all = [undefined, "b", "c", "d", "e", "f"].map(networkOf);
    for (const key of ["machines", "pods", "services", "apiService", "clusterDns"] as const) {
      assert.equal(new Set(all.map((one) => one[key])).size, all.length, key);
    }
    const [usual, other] = all;
    assert.deepEqual(
      [usual?.machines, usual?.pods, usual?.services, usual?.clusterDns, usual?.controlPlaneAddress],
      ["10.77.0.0/24", "10.244.0.0/16", "10.96.0.0/12", "10.96.0.10", "10.77.0.10"],
    );
    assert.deepEqual(
      [other?.machines, other?.pods, other?.services, other?.clusterDns],
      ["10.78.0.0/24", "10.245.0.0/16", "10.112.0.0/12", "10.112.0.10"],
    );
    assert.deepEqual(nodeMachine(2, networkOf("b")), {
      name: "node2",
      address: "10.78.0.11",
      index: 2,
      podCidr: "10.245.2.0/24",
    });
    // A route of one is never a part of the other's, nor of the wire between them.
    const machines = all
      .map((one) => one.machines)
      .concat(["b", "c", "d", "e", "f"].map((name) => `${wireOf(name).usual}/30`));
    assert.equal(new Set(machines.map((cidr) => cidr.split(".").slice(0, 3).join("."))).size, machines.length);
  });

  it("keeps a named cluster's state and kubeconfig beside those of the usual one", () => {
    assert.equal(clusterName({}), undefined);
    assert.equal(stateDir({ LUCID_MESH_STATE: "/state", LUCID_MESH_CLUSTER: "b" }), "/state-b");
    assert.equal(stateDir({ LUCID_MESH_STATE: "/state" }), "/state");
    for (const name of ["a", "g", "bb", "1"]) {
      assert.throws(() => clusterName({ LUCID_MESH_CLUSTER: name }), /a letter from b to f/);
    }
  });

  it("tells every machine where the registry is", () => {
    assert.match(hostsFile(nodeMachine(2)), /^10\.77\.0\.2 registry\.lucid\.internal$/m);
    assert.match(hostsFile(nodeMachine(2)), /^10\.77\.0\.11 node2$/m);
  });

  it("routes pods without translation and without IPv6, so that policies see their addresses", () => {
    const text = JSON.stringify(cniConfiguration(nodeMachine(2)));
    assert.match(text, /"ipMasq":false/);
    assert.match(text, /"subnet":"10\.244\.2\.0\/24"/);
    assert.match(text, /"net\.ipv6\.conf\.eth0\.disable_ipv6":"1"/);
  });
});

describe("the report of a node", () => {
  const at = (status: string, lastHeartbeatTime: string): Parameters<typeof saysReady>[0] => ({
    metadata: { name: "node1" },
    status: { conditions: [{ type: "Ready", status, lastHeartbeatTime }] },
  });
  const since = Date.parse("2026-01-01T00:00:10.900Z");

  it("counts when it says ready", () => {
    assert.equal(saysReady(at("True", "2026-01-01T00:00:00Z"), undefined), true);
    assert.equal(saysReady(at("False", "2026-01-01T00:00:00Z"), undefined), false);
    assert.equal(saysReady({ metadata: { name: "node1" } }, undefined), false);
  });

  it("does not count when it is older than the kubelet's start", () => {
    assert.equal(saysReady(at("True", "2026-01-01T00:00:09Z"), since), false);
    assert.equal(saysReady(at("True", "2026-01-01T00:00:10Z"), since), true);
  });
});
